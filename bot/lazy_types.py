"""How does aiogram load in a second, not in five?

At its import aiogram builds the validators of all types of the Bot API, several hundred of them: with
pydantic 2.13 this takes 70 % of the program's start and 100 MB that it holds for good (aiogram's issues
1876 and 1891). The bot uses a tenth of them. Pydantic can build each when it is first used, if it finds
the names that its annotations mention.
"""

import gc
import importlib
import inspect
import re
import sys
from typing import Any

from pydantic import BaseModel

_OFTEN = ("SendMessage", "EditMessageText", "GetUpdates", "AnswerCallbackQuery")
# Pydantic forgets a parametrised class that nobody holds: what every answer needs would be built anew.
_answers: list[type[BaseModel]] = []
_WORD = re.compile(r"[A-Za-z_]\w*")


def import_aiogram() -> None:
    """Import it so; whoever has imported it before, has it whole. Nothing else may be importing meanwhile."""
    if "aiogram" in sys.modules:
        return
    builds_now = BaseModel.__dict__["model_rebuild"]
    collecting = gc.isenabled()
    gc.disable()  # it would look through thousands of new classes again and again
    BaseModel.model_rebuild = classmethod(lambda cls, **_: None)  # type: ignore[assignment, method-assign]
    try:
        types = importlib.import_module("aiogram.types")
    finally:
        BaseModel.model_rebuild = builds_now  # type: ignore[method-assign]
        if collecting:
            gc.enable()
    names = {name: getattr(types, name) for name in types.__all__} | {"Default": types._Default}
    for model in names.values():
        if isinstance(model, type) and issubclass(model, BaseModel):
            _make_known(names, model)
    for model in (types.Update, types.Message):  # needed at once, and parts of many others
        model.model_rebuild()
    methods = importlib.import_module("aiogram.methods")
    _answers.extend(methods.Response[getattr(methods, name).__returning__] for name in _OFTEN)


def _make_known(names: dict[str, Any], model: type[BaseModel]) -> None:
    """What aiogram imports for type checkers only, the model's module gets as the program runs."""
    module = vars(sys.modules[model.__module__])
    for line in model.__mro__:
        for annotation in inspect.get_annotations(line).values():
            for word in _WORD.findall(str(annotation)):
                if word in names:
                    module.setdefault(word, names[word])
