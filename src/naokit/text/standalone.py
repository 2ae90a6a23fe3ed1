"""A language model as one Python file: its modules, its cell, a reader, a writer."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from torch import nn

from naokit.export.config import WEIGHTS
from naokit.export.literals import literal
from naokit.export.sources import SourcePart, joined
from naokit.export.templates import program
from naokit.networks import (
    ACTIVATIONS,
    LanguageModel,
    LstmCell,
    RecurrentCell,
    language,
    lstm,
    recurrence,
    recurrent,
)
from naokit.settings import LanguageSettings, NetworkSettings
from naokit.space import Architecture
from naokit.text.generating import choices_of, continuation, continued
from naokit.text.vocabulary import END, FILE, UNKNOWN, Vocabulary

MODULES: Mapping[type[nn.Module], tuple[ModuleType, ...]] = {
    RecurrentCell: (recurrence, recurrent, language),
    LstmCell: (lstm, language),
}
"""Whose sources a language model is made of, by its cell."""

DOCSTRING = """A language model found by naokit. Needs {{ needs | safe }}.

    import network                             # this file
    model = network.load()                     # weights from {{ weights | safe }} beside it
    spoken = model(ids, model.start(1))        # ids (L, 1) -> spoken.logits (L, 1, {{ size }})
    spoken = model(more, spoken.state)         # goes on from there
{{ writes | safe }}"""

WRITES = """    network.generate(model, "the", 50, temperature=0.8, seed=1)
"""

NEEDS = "import math\nfrom itertools import islice\n"

NETWORK = '''

SPACE = {{ space }}
ARCHITECTURE = {{ architecture }}
SETTINGS = {{ settings }}


def build() -> LanguageModel:
    """The network with random weights."""
    return LanguageModel({{ cell | safe }}, SETTINGS)


def load(path: str | Path = Path(__file__).with_name("{{ weights | safe }}")) -> LanguageModel:
    """The trained network, in eval mode."""
    network = build()
    network.load_state_dict(read_safetensors(Path(path).read_bytes()))
    return network.eval()
'''

TEXT = '''

TOKENS = json.loads(Path(__file__).with_name("{{vocabulary|safe}}").read_text("utf-8"))["tokens"]
IDS = {token: number for number, token in enumerate(TOKENS)}
UNKNOWN = IDS["{{ unknown | safe }}"]


def encode(text: str) -> list[int]:
    """The ids of a text's tokens."""
    return [IDS.get(token, UNKNOWN) for token in {{ pieces | safe }}]


def decode(ids: Sequence[int]) -> str:
    """The text of some ids."""
    return {{ joined | safe }}


def generate(
    network: LanguageModel, prompt: str, tokens: int, temperature: float = 1.0, seed: int = 0
) -> str:
    """The prompt and so many tokens more; temperature 0: always the likeliest."""
    read = encode(prompt)
    generator = choices_of(seed)
    begun = torch.tensor(read or encode("\\n"))
    following = continuation(network, begun, temperature, generator, [UNKNOWN])
    return continued(prompt, decode(read), decode([*read, *islice(following, tokens)]))
'''

PIECES = {"word": f'text.replace("\\n", " {END} ").split()', "char": "text"}
JOINED = {
    "word": f'" ".join(TOKENS[id] for id in ids).replace("{END}", "\\n").replace(" \\n", "\\n")'
    '.replace("\\n ", "\\n")',
    "char": '"".join(TOKENS[id] for id in ids)',
}


def obstacle(network: LanguageModel) -> str:
    """Why the network cannot be written as one file; empty where it can."""
    cell = network.cell
    if type(cell) not in MODULES:
        return "only a recurrent cell or an LSTM can be written as a stand-alone file"
    if own := _own_activations(cell):
        return (
            f"the activation {own[0]} is your own: a stand-alone file holds naokit's activations "
            "alone; export to ONNX or .pt2, which hold any"
        )
    return ""


def source(network: LanguageModel, architecture: Architecture, vocabulary: Vocabulary) -> str:
    """The file; it writes text where the vocabulary is a list of tokens.

    What came from elsewhere stands in literals alone, and the tokens in a file of their own.
    """
    cell, kind = network.cell, vocabulary.kind
    listed = kind in PIECES
    docstring = program(
        DOCSTRING,
        weights=WEIGHTS,
        needs=f"torch, {WEIGHTS} and {FILE}" if listed else f"torch and {WEIGHTS}",
        size=network.settings.vocabulary,
        writes=WRITES if listed else "",
    )
    end = program(
        NETWORK,
        space=architecture.space.name,
        architecture=str(architecture),
        cell=_built(cell),
        settings=network.settings,
        weights=WEIGHTS,
    )
    if listed:
        pieces, joining = PIECES[kind], JOINED[kind]
        end += program(TEXT, vocabulary=FILE, unknown=UNKNOWN, pieces=pieces, joined=joining)
    parts: list[SourcePart] = [NetworkSettings, LanguageSettings, *MODULES[type(cell)]]
    return joined(docstring, [*parts, choices_of, continued, continuation], end, NEEDS)


def _built(cell: nn.Module) -> str:
    """The source of what makes such a cell."""
    if isinstance(cell, LstmCell):
        return f"LstmCell({cell.lstm.input_size}, SETTINGS.hidden, {cell.lstm.hidden_size})"
    assert isinstance(cell, RecurrentCell)
    return f"RecurrentCell({literal(cell.plan)}, SETTINGS.hidden, SETTINGS.hidden, ACTIVATIONS)"


def _own_activations(cell: nn.Module) -> list[str]:
    """The names of the activations that a user made."""
    if not isinstance(cell, RecurrentCell):
        return []
    named = {name: used for (_, name), used in zip(cell.plan.nodes, cell.activations, strict=True)}
    return [name for name, used in named.items() if ACTIVATIONS.get(name) is not used]
