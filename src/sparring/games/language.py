"""One player that predicts token after token by maximum likelihood: the language model."""

from collections.abc import Sequence
from typing import final

from torch import nn

from sparring.flow import Progress, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.sequences import SequenceGame


@final
class LanguageModel(SequenceGame):
    """Autoregression by maximum likelihood (Bengio et al. 2003, section 2): p(x) = Π p(x_t | x_<t).

    Args:
        predictor: an ``nn.Module`` that satisfies ``Sequencer``.
        mean_tokens: of a training sequence, its end included.
        smoothing: of the likelihood; see ``SequenceGame``.
    """

    phases = WHOLE_RUN

    def __init__(self, predictor: nn.Module, *, mean_tokens: float, smoothing: float = 0.0) -> None:
        super().__init__({"predictor": predictor}, "predictor", mean_tokens=mean_tokens, smoothing=smoothing)

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the only player."""
        return [Turn("predictor", self.likelihood_objective)]
