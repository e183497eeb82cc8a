import sqlite3
import subprocess
import sys
import textwrap

from uml_pipeline.cache import Cache


def test_round_trip(tmp_path):
    with Cache(tmp_path, "things") as cache:
        cache.put([("a", b"1"), ("b", b"")])
        cache.put([("a", b"2")])
    with Cache(tmp_path, "things") as cache:
        assert list(cache.get(["b", "unknown", "a"])) == [("b", b""), ("a", b"2")]


def test_many_keys_come_in_the_order_asked_for(tmp_path):
    keys = [f"{(7919 * one) % 5000:04}" for one in range(5000)]
    with Cache(tmp_path, "things") as cache:
        cache.put((key, key.encode()) for key in keys)
        assert [key for key, value in cache.get(keys) if value == key.encode()] == keys


def test_damaged_entries_count_as_absent(tmp_path):
    with Cache(tmp_path, "things") as cache:
        cache.put([("a", b"right"), ("b", b"right")])
    with sqlite3.connect(tmp_path / ".uml" / "things.db") as db:
        db.execute("UPDATE entry SET value = ? WHERE key = 'a'", [b"wrong"])
    db.close()
    with Cache(tmp_path, "things") as cache:
        assert list(cache.get(["a", "b"])) == [("b", b"right")]


def test_a_file_that_is_no_database_is_begun_anew(tmp_path):
    (tmp_path / ".uml").mkdir()
    (tmp_path / ".uml" / "things.db").write_bytes(b"no database, " * 1000)
    with Cache(tmp_path, "things") as cache:
        cache.put([("a", b"1")])
        assert list(cache.get(["a"])) == [("a", b"1")]


def test_what_is_written_survives_a_kill(tmp_path):
    script = """
        import os, signal, sys
        from pathlib import Path
        from uml_pipeline.cache import Cache
        cache = Cache(Path(sys.argv[1]), "things")
        cache.put([("a", b"1")])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)])
    with Cache(tmp_path, "things") as cache:
        assert list(cache.get(["a"])) == [("a", b"1")]


def test_git_does_not_see_it(tmp_path):
    with Cache(tmp_path, "things"):
        assert (tmp_path / ".uml" / ".gitignore").read_text() == "*\n"
