"""One GAN in one file, in plain torch: eight Gaussians on a ring, learned in less than half a minute on one core.

Its step is a small version of src/sparring/games/duel.py and training/trainer.py: latents, samples, logits, penalties,
losses, average. The relativistic loss compares the logits of paired fake and real samples, and R1 and R2 regularise the
discriminator around both (Huang et al. 2024, "The GAN is dead; long live the GAN!").

    python examples/ring_of_gaussians.py [steps]
"""

import copy
import math
import sys
from itertools import pairwise

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
BATCH, LATENT_SIZE, WIDTH, WAVES = 128, 2, 64, 32
SIGMA = 0.01
MODES = torch.tensor([(math.cos(mode * math.pi / 4), math.sin(mode * math.pi / 4)) for mode in range(8)])

torch.set_num_threads(1)
torch.manual_seed(0)


def dense(*widths: int) -> nn.Sequential:
    """Return linear layers with leaky ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class Discriminator(nn.Module):
    """Dense network on points and their Fourier features, which let it resolve modes as narrow as these."""

    def __init__(self) -> None:
        super().__init__()
        frequencies = torch.linspace(0, math.log(16), WAVES).exp()
        self.register_buffer("waves", normalize(torch.randn(2, WAVES), dim=0) * frequencies / 0.71)  # (2, WAVES)
        self.layers = dense(2 + 2 * WAVES, WIDTH, WIDTH, 1)

    def forward(self, points: Tensor) -> Tensor:
        phase = points @ self.waves  # (batch, WAVES)
        return self.layers(torch.cat([points, phase.sin(), phase.cos()], dim=1)).squeeze(1)


def real_points(count: int) -> Tensor:
    """Return samples of the data distribution, (count, 2)."""
    return MODES[torch.randint(8, (count,))] + SIGMA * torch.randn(count, 2)


def squared_gradient(logits: Tensor, points: Tensor) -> Tensor:
    """Return ‖∇D‖² at each point, (batch,), itself differentiable."""
    return torch.autograd.grad(logits.sum(), points, create_graph=True)[0].square().sum(1)


def evaluate(points: Tensor) -> tuple[int, float]:
    """Return the number of modes with a sample within three standard deviations, and the share of such samples."""
    distance, mode = torch.cdist(points, MODES).min(1)
    good = distance < 3 * SIGMA
    return len(mode[good].unique()), good.float().mean().item()


def draw(points: Tensor, path: str) -> None:
    """Write a scatter plot."""
    picture = Image.new("RGB", (400, 400), "white")
    pen = ImageDraw.Draw(picture)
    for x, y in (200 + 150 * points).tolist():
        pen.ellipse((x - 1, y - 1, x + 1, y + 1), fill=(31, 78, 160))
    picture.save(path)


generator, discriminator = dense(LATENT_SIZE, WIDTH, WIDTH, WIDTH, 2), Discriminator()
average = copy.deepcopy(generator).requires_grad_(False)
optimisers = [torch.optim.Adam(player.parameters(), betas=(0.0, 0.9)) for player in (generator, discriminator)]

for step in range(STEPS):
    # Schedules: γ falls from 0.1 to 0.001 and the learning rate from 3e-3 to 9e-5, both along a cosine.
    fraction = step / STEPS
    gamma = 0.1 * 0.01 ** ((1 - math.cos(math.pi * fraction)) / 2)
    for optimiser in optimisers:
        optimiser.param_groups[0]["lr"] = 3e-3 * (0.03 + 0.97 * (1 + math.cos(math.pi * fraction)) / 2)

    # Update the discriminator: the loss on real and generated points, plus R1 and R2.
    real = real_points(BATCH).requires_grad_()
    fake = generator(torch.randn(BATCH, LATENT_SIZE)).detach().requires_grad_()
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    penalty = squared_gradient(real_logits, real) / 2 + squared_gradient(fake_logits, fake) / 2
    loss = softplus(fake_logits - real_logits).mean() + gamma * penalty.mean()
    optimisers[1].zero_grad()
    loss.backward()
    optimisers[1].step()

    # Update the generator: its points should get higher logits than the real ones.
    real, fake = real_points(BATCH), generator(torch.randn(BATCH, LATENT_SIZE))
    loss = softplus(discriminator(real) - discriminator(fake)).mean()
    optimisers[0].zero_grad()
    loss.backward()
    optimisers[0].step()

    # Update the moving average of the generator, from which samples are drawn.
    with torch.no_grad():
        decay = 0.5 ** (BATCH / (1 + 0.05 * step * BATCH))
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)

    if (step + 1) % max(STEPS // 10, 1) == 0:
        samples = average(torch.randn(2500, LATENT_SIZE))
        modes, quality = evaluate(samples)
        print(f"step {step + 1:5}  modes {modes}/8  quality {quality:.1%}", flush=True)

draw(samples, "ring.png")
