"""Every toml, shell and Python block of the README and the documentation runs."""

import os
import sys
from pathlib import Path

import pytest

from tests.docs.block_runner import ROOT, BlockFailed, blocks_of, goes_on_from, left_by, needs_server, run_page
from tests.postgres_server import Server, find_binaries

PAGES = sorted(
    {
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("plugins/[a-z]*/README.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "src").rglob("*.md"),
    }
)

GONE_ON_FROM = {before for page in PAGES if (before := goes_on_from(page))}
"""Pages that are run once for themselves and for all that go on from them."""


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what pages leave behind to those that go on from them, shared by the workers of a run."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "left-by-pages"
    folder.mkdir(exist_ok=True)
    return folder


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if not needs_server(page)], ids=named)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, kept: Path, warm_billing_path: Path) -> None:
    if page in GONE_ON_FROM:
        left_by(page, kept, warm_billing_path)
    else:
        run_page(page, tmp_path, kept=kept, commands=warm_billing_path)


@pytest.mark.parametrize("page", [page for page in PAGES if needs_server(page)], ids=named)
def test_the_blocks_of_a_page_run_on_postgresql(
    page: Path, tmp_path: Path, kept: Path, warm_billing_path: Path, postgres_server: Server
) -> None:
    folders = [warm_billing_path, Path(sys.executable).parent, tmp_path / "bin", os.environ["PATH"], find_binaries()]
    path = os.pathsep.join(map(str, folders))
    server = {"PGHOST": str(postgres_server.folder), "PGUSER": postgres_server.superuser, "PATH": path}
    run_page(page, tmp_path, kept=kept, commands=warm_billing_path, server=server)


@pytest.mark.parametrize("language", ["sh", "toml", "python"])
def test_the_front_page_shows_something_that_runs(language: str) -> None:
    assert language in {block.language for block in blocks_of(ROOT / "README.md")}


@pytest.mark.parametrize("kind", ["tutorial", "how_to"])
def test_the_pages_to_follow_have_something_that_runs(kind: str) -> None:
    pages = sorted((ROOT / "docs" / kind).rglob("*.md"))
    assert pages
    assert [page.name for page in pages if not {"sh", "console", "python"} & {block.language for block in blocks_of(page)}] == []


def run(text: str, folder: Path) -> int:
    page = folder / "page.md"
    page.write_text("<!-- example: none -->\n" + text)
    return run_page(page, folder / "run", kept=folder)


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        ("```sh\necho a > b\n```\n\n```sh\ntest -f b\n```\n", 2),
        ("```sh exit=3\nexit 3\n```\n", 1),
        ("1. In a list:\n\n   ```sh\n   true\n   ```\n", 1),
        ("```console\n$ printf 'one\\ntwo  2\\nthree\\n'\none\n...\nthree\n$ echo a \\\n> b\na b\n```\n", 1),
        ('```toml\nprice = "0.1"\n```\n', 1),
        ('```toml\n# rates/x.toml\nprice = "0.1"\n```\n```sh\ngrep price rates/x.toml\n```\n', 2),
        ("```csv file=a.csv\na,b\n```\n```sh\ntest -f a.csv\n```\n", 2),
        ("```python\nassert 1 + 1 == 2\n```\n", 1),
        ("```python\n# tests/docs/block_runner.py\nLONGEST_SECONDS = 300\n```\n", 1),
        ("```text\nrm -rf nothing\n```\n", 0),
        ("```sh\nmake test\nmake demo\n```\n", 1),
    ],
)
def test_a_page_that_tells_the_truth_passes(text: str, tried: int, tmp_path: Path) -> None:
    assert run(text, tmp_path) == tried


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```sh\nfalse\ntrue\n```\n", "page.md:2: exit code 1 instead of 0"),
        ("```sh exit=3\ntrue\n```\n", "exit code 0 instead of 3"),
        ("```sh\nno-such-command\n```\n", "exit code 127"),
        ("```sh\nmake no-such-target\n```\n", "exit code 2"),
        ("```console\n$ echo one\ntwo\n```\n", "does not show the line\n  two"),
        ("```console\n$ printf 'a\\nb\\n'\nb\na\n```\n", "does not show the line\n  a"),
        ("```toml\nprice = \n```\n", "page.md:2: "),
        ("```bash\ntrue\n```\n", "a block of language 'bash'"),
        ("```\ntrue\n```\n", "a block of language ''"),
        ("```python\nassert False\n```\n", "exit code 1"),
        (
            "```python\n# tests/docs/block_runner.py\nLONGEST_SECONDS = 1\n```\n",
            "is not what stands in tests/docs/block_runner.py",
        ),
        ("```csv file=../../a.csv\na,b\n```\n", "lies outside of the deployment"),
        ("```toml\n# billing.toml\n[deployment]\nnme = 'x'\n```\n", "CONFIG02"),
    ],
)
def test_a_page_that_does_not_is_caught(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BlockFailed) as caught:
        run(text, tmp_path)
    assert message in str(caught.value)


def test_blocks_run_apart_from_the_home_of_the_tester(tmp_path: Path) -> None:
    run("```sh\ncd\npwd > ../where\n```\n", tmp_path)
    assert (tmp_path / "run" / "where").read_text().strip() == str(tmp_path / "run" / "home")
    assert os.environ["HOME"] != str(tmp_path / "run" / "home")


def test_a_page_goes_on_where_another_ends_without_changing_it(tmp_path: Path) -> None:
    before, after = tmp_path / "before.md", tmp_path / "after.md"
    before.write_text("<!-- example: none -->\n```sh\necho one >> made\n```\n")
    after.write_text(f"<!-- after: {before} -->\n```console\n$ cat made\none\n$ echo two >> made\n```\n")
    for folder in ("first", "second"):
        run_page(after, tmp_path / folder, kept=tmp_path)
        assert (tmp_path / folder / "deployment" / "made").read_text() == "one\ntwo\n"
    assert (tmp_path / "before" / "deployment" / "made").read_text() == "one\n"
