"""What all plug-in classes share: tests that can't apply, weights that say something, the mixin of each test."""

import pytest
from inapplicable import INAPPLICABLE
from shaking import shake


def pytest_collection_modifyitems(items):
    for item in items:
        if item.cls is None or "diffusers_suite" not in str(item.path):
            continue
        reason = INAPPLICABLE.get((item.cls.__name__, item.originalname))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
        item.add_marker(pytest.mark.slow)
        mixin = next(base.__name__ for base in reversed(item.cls.__mro__) if item.originalname in vars(base))
        item.user_properties.append(("mixin", mixin))


@pytest.fixture(autouse=True, scope="class")
def shaken(request):
    """Networks of the class under test are shaken when they are made."""
    model_class = getattr(request.cls, "shaken_class", None)
    if model_class is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        init = model_class.__init__

        def shaken_init(self, *args, **kwargs):
            init(self, *args, **kwargs)
            shake(self)

        shaken_init.__wrapped__, shaken_init.__signature__ = init, getattr(init, "__signature__", None)
        if shaken_init.__signature__ is None:
            del shaken_init.__signature__
        patch.setattr(model_class, "__init__", shaken_init)
        yield
