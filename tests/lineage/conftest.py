from tests.registry.conftest import study, trained  # noqa: F401  the tiny study, trained
