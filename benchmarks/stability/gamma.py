"""What the lead of reals measures: 4 γ × the gap of scores, beside the squared Wasserstein distance.

python benchmarks/stability/gamma.py

A discriminator alone, between two round clouds that never move and lie a known distance apart.
"""

import torch

from sparring.modalities.points.networks.dense import Discriminator
from sparring.randomness import seeded


def gap(distance: float, gamma: float, steps: int = 1500) -> float:
    """E D(x) - E D(G(z)) of a trained discriminator between N(0, I) and N((distance, 0), I)."""
    generator = torch.Generator().manual_seed(0)
    with seeded(0, "weights"):
        network = Discriminator(max_frequency=4.0)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3, (0.0, 0.9))
    away = torch.tensor([distance, 0.0])
    found = []
    for step in range(steps):
        real, fake = (torch.randn(256, 2, generator=generator) + shift for shift in (away * 0, away))
        real, fake = real.requires_grad_(), fake.requires_grad_()
        scores = [network(side).logits[0] for side in (real, fake)]
        input_gradients = [
            torch.autograd.grad(score.sum(), side, create_graph=True)[0].square().sum(1).mean()
            for score, side in zip(scores, (real, fake), strict=True)
        ]
        loss = torch.nn.functional.softplus(scores[1] - scores[0]).mean() + gamma / 2 * (
            input_gradients[0] + input_gradients[1]
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step >= steps - 300:
            found.append(float((scores[0].mean() - scores[1].mean()).detach()))
    return sum(found) / len(found)


def main() -> None:
    torch.set_num_threads(1)
    print("| distance² | γ | gap | 4 γ gap |\n|---|---|---|---|")
    for distance, gamma in ((0.5, 0.3), (0.5, 1.0), (0.5, 3.0), (1.0, 0.3), (1.0, 1.0), (1.0, 3.0), (1.0, 10.0)):
        found = gap(distance, gamma)
        print(f"| {distance**2:g} | {gamma:g} | {found:.4f} | {4 * gamma * found:.3f} |", flush=True)


if __name__ == "__main__":
    main()
