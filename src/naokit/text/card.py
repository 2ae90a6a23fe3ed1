"""What the model card says of a language model."""

from __future__ import annotations

from naokit.export.about import PLACE, About
from naokit.export.config import WEIGHTS
from naokit.export.templates import card
from naokit.networks import LanguageModel, step_macs
from naokit.text.vocabulary import FILE, Vocabulary

ABOUT = """\
A language model that naokit found and trained: a recurrent cell of {{size}} hidden units that reads
one token after another and says what comes next. {{ tokens }} tokens of the kind `{{ kind }}`, in
`{{ vocabulary }}`."""

USE = """With naokit:

```
naokit generate {{ place }} --prompt "the" --tokens 50
naokit evaluate {{ place }} --data path/to/text
```

```python
import naokit

network = naokit.load("{{ place }}")
spoken = network(tokens, network.start(1))  # ids (steps, 1) -> spoken.logits, spoken.state
```

With torch alone, from `network.py`, `{{ weights }}` and `{{ vocabulary }}`:

```python
import network

model = network.load()
{{ alone | safe }}
```

With onnxruntime, from `model.onnx`, step by step; the state begins with zeros:

```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
logits, state = session.run(["logits", "next_state"], {"token": token, "state": state})
# token: int64 (batch,); state: float32 (batch, {{ state }})
```"""

WRITES = 'print(network.generate(model, "the", 50))'
READS = "spoken = model(tokens, model.start(1))  # ids (steps, 1) -> spoken.logits, spoken.state"


def about(network: LanguageModel, vocabulary: Vocabulary) -> About:
    """What the card says of a language model."""
    return About(
        "text",
        card(
            ABOUT,
            size=network.settings.hidden,
            tokens=f"{len(vocabulary):,}",
            kind=vocabulary.kind,
            vocabulary=FILE,
        ),
        card(
            USE,
            place=PLACE,
            weights=WEIGHTS,
            vocabulary=FILE,
            state=network.start(1).shape[1],
            alone=WRITES if vocabulary.definition is None else READS,
        ),
        "text-generation",
        1.0,
        f", {step_macs(network):,} multiply-accumulates a token",
    )
