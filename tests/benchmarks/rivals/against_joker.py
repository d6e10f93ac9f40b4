"""This package beside The Joker, on simulated stars of 3 to 20 visits.

The Joker's K ~ Normal(0, s) is half-normal in abs(K) and ours is Rayleigh, so that each of our
draws has a weight of sqrt(2 / pi) s / K in its posterior, and the mean weight is the ratio of the
evidences. A prior sample is kept with a probability of L / max L. Where The Joker has not seen
the largest L it keeps too many, and the wrong ones: what is counted and compared are those that
the largest L known from both leaves. Ours are counted as the fewer of distinct draws and effective
nodes, and compared twice: draws, and nodes by their weights, which say whether draws are amiss.
"""

import numpy as np
from eccentric import clocked
from rivals.beside import (
    DRAWS,
    LARGEST,
    PERIODS,
    SD_MEAN,
    SD_YEAR,
    distinct,
    fitted,
    numbered,
    run_child,
    simulated_star,
)
from scipy import stats

from astro_hier.core.eccentric_nodes import drawn_at

VISITS = (3, 4, 5, 6, 8, 12, 20)
FEW = 5  # visits, from which on a tenth of the prior samples are tried
WANTED = 3000
ENOUGH = 200  # draws that may be compared


def joker(args, rng):
    stars = [simulated_star(n, rng) for n in args.visits for _ in range(args.stars)]
    for star, _, known in (stars[0], stars[-1]):
        fitted(star, known, rng)  # compiles
    ours = [clocked(lambda s=star, k=known: fitted(s, k, rng)) for star, _, known in stars]
    given = numbered([{"time": s.time, "rv": s.rv, "rv_error": s.rv_error} for s, *_ in stars])
    at = numbered([
        {"P": d.period, "e": d.eccentricity, "omega": d.omega, "t_peri": d.t_peri}
        for (_, d), _ in ours
    ])  # fmt: skip
    given |= {f"at_{name}": value for name, value in at.items()}
    most = [args.most if len(s.time) <= FEW else args.most // 10 for s, *_ in stars]
    given |= {"periods": PERIODS, "sigma_K0": SD_YEAR, "sigma_v": SD_MEAN, "largest_e": LARGEST,
              "seed": args.seed, "most": most, "wanted": WANTED}  # fmt: skip
    found = run_child(args.joker, "run_joker.py", given)
    print_all(stars, ours, found, rng)


def print_all(stars, ours, found, rng):
    print("visits  K/error | ours: CPU s, effective, distinct draws, / s | The Joker: prior"
          " samples, CPU s (drawing them), draws, / s; expected / s | ratio")  # fmt: skip
    lines = []
    for number, (star, truth, _) in enumerate(stars):
        one = {k.rsplit("_", 1)[0]: v for k, v in found.items() if k.endswith(f"_{number}")}
        (nodes, drawn), cpu = ours[number]
        best = max(one["log_p_at"].max(), one["best"])
        kept = one["height"] > best
        one |= {name: one[name][kept] for name in ("P", "e", "omega", "K")}
        name = f"{len(star.time):6}  {truth['K'] / np.median(star.rv_error):7.1f} | "
        print(name + speed_line(nodes, drawn, cpu, one, best))
        if kept.sum() > ENOUGH:
            lines.append(name + "draws: " + agreement_line(nodes, nodes.draw(4 * DRAWS, rng), one))
            lines.append(name + "nodes: " + agreement_line(nodes, resampled(nodes, rng), one))
    print(f"a million prior samples by The Joker itself: {1e6 * found['own_prior_cpu']:.0f} CPU s")
    print(f"\nAgreement where The Joker has more than {ENOUGH} draws, ours first")
    print("\n".join(lines), flush=True)


def resampled(nodes, rng):
    """Draws from the nodes alone by their weights: few are new, but none is left out."""
    chosen = rng.choice(len(nodes.period), 4 * DRAWS, p=nodes.probability)
    at, t_ref = nodes.star.nodes(nodes.points[:, chosen]), nodes.star.data.t_ref
    none = np.zeros(len(chosen))
    return drawn_at(nodes.visits, at, t_ref, none, np.multiply.outer(nodes.ratio, none), rng)


def weights(drawn):
    """That of each draw under The Joker's prior of K, not normalised."""
    sd = SD_YEAR * (drawn.period / 365.25) ** (-1 / 3) / np.sqrt(1 - drawn.eccentricity**2)
    return np.sqrt(2 / np.pi) * sd / drawn.amplitude


def speed_line(nodes, drawn, cpu, one, best):
    """``expected`` is the rate by p(v) over the largest likelihood, both of The Joker's model."""
    rate = min(distinct(drawn), nodes.effective_size) / cpu
    size, theirs = int(one["size"]), len(one["P"])
    log_share = nodes.log_evidence + np.log(weights(drawn).mean()) - best
    expected = np.exp(log_share) * size / one["cpu"]
    return (f"{cpu:.2f}, {nodes.effective_size:.0f}, {distinct(drawn)}, {rate:.0f} | {size:.2g},"
            f" {one['cpu']:.1f} ({one['cpu_prior']:.1f}), {theirs}, {theirs / one['cpu']:.3g};"
            f" {expected:.3g} | {rate / expected:.3g}")  # fmt: skip


def agreement_line(nodes, drawn, one):
    weight = weights(drawn)
    log_mean, error = np.log(weight.mean()), weight.std() / weight.mean() / np.sqrt(len(weight))
    log_ratio = nodes.log_evidence + log_mean - one["log_evidence"]
    error = np.sqrt(error**2 + one["log_evidence_error"] ** 2 + nodes.log_evidence_error**2)
    weight = weight / weight.sum()
    high, theirs = weight @ (drawn.eccentricity > 0.7), np.mean(one["e"] > 0.7)
    sizes = effective(nodes, weight), len(one["P"])
    high_error = np.sqrt(max(theirs * (1 - theirs), 1 / sizes[1]) * np.sum(1 / np.array(sizes)))
    tests = {
        name: weighted_ks(values, weight, other, sizes[0])
        for name, values, other in (
            ("P", drawn.period, one["P"]), ("e", drawn.eccentricity, one["e"]),
            ("K", drawn.amplitude, one["K"]),
            ("omega", drawn.omega % (2 * np.pi), one["omega"]))
    }  # fmt: skip
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    order = np.argsort(drawn.period)
    at = np.interp(shares, np.cumsum(weight[order]), np.log(drawn.period[order]))
    quantiles = zip(at, np.quantile(np.log(one["P"]), shares), strict=True)
    return (f"ln p(v) ours - theirs {log_ratio:+.3f}±{error:.3f}; P(e > .7) {high:.4f},"
            f" {theirs:.4f}±{high_error:.4f}; KS p "
            + " ".join(f"{name} {p:.2f}" for name, p in tests.items())
            + "; ln P at 5, 25, 50, 75, 95 percent "
            + " ".join(f"{a:.2f}/{b:.2f}" for a, b in quantiles))  # fmt: skip


def effective(nodes, weight):
    """Of weighted draws, of which no more are independent than of the nodes."""
    return min(1 / np.sum(weight**2), nodes.effective_size)


def weighted_ks(values, weight, other, size):
    """p of the KS test between weighted draws, ``size`` of them, and draws of equal weight."""
    order, other = np.argsort(values), np.sort(other)
    below = np.append(0, np.cumsum(weight[order]))
    share = below[np.searchsorted(values[order], other, side="right")]
    n = len(other)
    distance = max(np.max(np.arange(1, n + 1) / n - share), np.max(share - np.arange(n) / n))
    return stats.kstwobign.sf(distance * np.sqrt(n * size / (n + size)))
