from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tokentoss
from tokentoss import error_codes, exceptions, former_modules
from tokentoss.clients import errors

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "python" / "tokentoss"
ORIGINAL_NAMES = [
    "GoogleAuthWidget",
    "IAPClient",
    "AuthManager",
    "ClientConfig",
    "TokenData",
    "FileStorage",
    "MemoryStorage",
    "configure",
    "configure_from_file",
    "configure_from_credentials",
    "get_config_path",
    "generate_pkce_pair",
    "enable_debug",
    "disable_debug",
    "CREDENTIALS",
    "DEFAULT_SCOPES",
    "TokenTossError",
    "NoCredentialsError",
    "TokenExchangeError",
    "TokenRefreshError",
    "StorageError",
    "InsecureFilePermissionsWarning",
]


def run(code: str) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'python')!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_public_name_can_be_imported() -> None:
    assert len(set(tokentoss.__all__)) == len(tokentoss.__all__)
    for name in tokentoss.__all__:
        getattr(tokentoss, name)
    assert set(tokentoss._HOME_OF) | {"CREDENTIALS", "__version__"} == set(tokentoss.__all__)
    assert set(tokentoss.__all__) <= set(dir(tokentoss))


def test_the_names_of_the_original_are_there() -> None:
    assert set(ORIGINAL_NAMES) <= set(tokentoss.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tokentoss.no_such_name


def test_importing_the_package_imports_nothing_else() -> None:
    before = set(run("print(*sys.modules, sep='\\n')").split())
    after = set(run("import tokentoss; print(*sys.modules, sep='\\n')").split())
    former = {f"tokentoss.{name}" for name in former_modules.NAMES}
    assert after - before == {"tokentoss", "tokentoss._version", "tokentoss.former_modules", *former}


def test_the_widget_shows_before_it_loads_what_only_the_network_needs() -> None:
    loaded = run("from tokentoss import GoogleAuthWidget; print(*sys.modules, sep='\\n')").split()
    assert not {"requests", "jwt"} & set(loaded)


def test_the_version_is_the_one_of_the_other_languages() -> None:
    front_door = json.loads((ROOT / "package.json").read_text())
    workspace = re.search(r'(?m)^version = "(.*)"$', (ROOT / "Cargo.toml").read_text())
    assert workspace is not None
    assert tokentoss.__version__ == front_door["version"] == workspace[1]


def test_the_table_of_codes_is_the_shared_one() -> None:
    shared = (ROOT / "crates" / "tokentoss-core" / "error_codes.json").read_bytes()
    assert (PACKAGE / "error_codes.json").read_bytes() == shared


def test_every_code_has_an_exception_and_a_sentence() -> None:
    for code in error_codes.table():
        failure = exceptions.error_for(code, "somewhere.example")
        assert failure.code == code
        assert failure.culprit
        assert "{" not in str(failure)
        assert "{" not in error_codes.sentence(code)
        assert str(failure)
        if error_codes.culprit(code) != "stranger":
            assert type(failure) is not exceptions.TokenTossError, code


def test_every_code_in_the_source_is_in_the_table() -> None:
    used = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                used.add(node.value.value)
            if isinstance(node, ast.Assign) and "default_code" in ast.dump(node.targets[0]):
                used.add(ast.literal_eval(node.value))
    assert used - {"", None} <= set(error_codes.table())
    assert len(used) > 30


def test_the_drawn_tree_is_the_real_one() -> None:
    classes = {
        name: value
        for module in (exceptions, errors)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    drawn = re.findall(r"(?m)^    ([│ ├└─]*)(\w+(?:Error|Warning))", exceptions.__doc__ or "")
    assert {name for _, name in drawn} - {"UserWarning"} == set(classes)
    parents: list[str] = []
    for indent, name in drawn:
        depth = len(indent) // 4
        del parents[depth:]
        if parents and name in classes:
            assert classes[name].__mro__[1].__name__ == parents[-1], name
        parents.append(name)


def test_kept_base_classes() -> None:
    """The exceptions keep the base classes ValueError and FileNotFoundError of version 0.1.1."""
    assert issubclass(tokentoss.ConfigurationError, ValueError)
    assert issubclass(tokentoss.ClientSecretsNotFoundError, FileNotFoundError)
    assert str(tokentoss.NoCredentialsError("as before")) == "as before"


def test_a_foreign_subject_is_shown_as_one_short_printable_line() -> None:
    shown = error_codes.sentence("provider_error", "<b>\n\x1b[31m\u202e" + "x" * 9999)
    assert shown.isprintable()
    assert len(shown) < 400


def test_no_file_is_too_long() -> None:
    for path in [*PACKAGE.rglob("*.py"), *Path(__file__).parent.rglob("*.py")]:
        assert len(path.read_text().splitlines()) <= 600, path


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("auth_manager", "AuthManager"),
        ("auth_manager", "DEFAULT_SCOPES"),
        ("auth_manager", "generate_pkce_pair"),
        ("client", "IAPClient"),
        ("configure_widget", "ConfigureWidget"),
        ("setup", "configure"),
        ("setup", "get_config_path"),
        ("widget", "GoogleAuthWidget"),
    ],
)
def test_modules_of_version_0_1_lead_to_their_names(module: str, name: str) -> None:
    found = importlib.import_module(f"tokentoss.{module}")
    assert getattr(tokentoss, module) is found
    with pytest.warns(DeprecationWarning, match=f"{module}.{name} is now tokentoss.{name}") as caught:
        assert getattr(found, name) is getattr(tokentoss, name)
    assert caught[0].filename == __file__
    with pytest.raises(ImportError, match="no_such_name"):
        exec(f"from tokentoss.{module} import no_such_name", {})


def test_modules_of_version_0_1_that_are_still_there() -> None:
    assert importlib.import_module("tokentoss.storage").TokenData is tokentoss.TokenData
    assert importlib.import_module("tokentoss.exceptions").StorageError is tokentoss.StorageError


def test_everything_but_its_adapter_works_without_httpx() -> None:
    """Without httpx, the package imports, and HTTPXAuth is absent."""
    said = run(
        "import sys, importlib.machinery\n"
        "class Without(importlib.machinery.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        return None if name == 'httpx' else super().find_spec(name, path, target)\n"
        "sys.meta_path.remove(importlib.machinery.PathFinder)\n"
        "sys.meta_path.append(Without)\n"
        "import inspect, pydoc, tokentoss\n"
        "from tokentoss import *\n"
        "assert not hasattr(tokentoss, 'HTTPXAuth') and 'HTTPXAuth' not in dir(tokentoss)\n"
        "assert len(inspect.getmembers(tokentoss)) > 40\n"
        "print(pydoc.plain(pydoc.render_doc(tokentoss)))\n"
        "print(AuthManager.__name__)"
    )
    assert said.strip().endswith("AuthManager")
    assert run("import tokentoss; print(hasattr(tokentoss, 'HTTPXAuth'))").strip() == "True"


def test_no_test_draws_from_the_shared_generator() -> None:
    """No test uses the shared generator of the random module."""
    for path in Path(__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        modules = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        assert "random" not in {node.module for node in nodes if isinstance(node, ast.ImportFrom)}, path.name
        if "random" in modules:
            named = [node for node in nodes if isinstance(node, ast.Attribute)]
            used = {one.attr for one in named if isinstance(one.value, ast.Name) and one.value.id == "random"}
            assert used <= {"Random"}, path.name
