import threading
import time

import pytest

from uml_pipeline.workers import each


def test_results_come_in_order():
    def work(job):
        time.sleep(0.01 * (job % 3))
        return -job

    assert list(each(work, range(20), threads=4)) == [-job for job in range(20)]


def test_only_a_few_jobs_are_ahead():
    begun = []
    results = each(begun.append, iter(range(1000)), threads=2)
    next(results)
    time.sleep(0.05)
    assert len(begun) < 20
    results.close()
    assert len(begun) < 20


def test_an_error_reaches_the_reader_and_stops_the_work():
    begun = []

    def work(job):
        begun.append(job)
        if job == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        list(each(work, range(1000), threads=2))
    assert len(begun) < 30
    assert threading.active_count() < 10
