import numpy as np
import pytest
import torch

from uml_pipeline.learn.geometry import centre_of, standardise
from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk.compare import pose
from uml_pipeline.trunk.task import TRUST, task_of


@pytest.fixture
def problem(inputs, text, photos):
    made = inputs([text("far", known=20, space="other"), text(), photos])
    return pose(made, episodes(made.target.manifest, 2, 1)[0])


def test_silos_stay_in_their_own_space_and_bridges_share_the_targets_centre(problem):
    task = task_of(problem)
    assert task.classes[:24] == tuple(f"c{one:02}" for one in range(24))
    assert task.classes[24:] == ("p0", "p1", "p2", "p3", "p4", "p5")
    assert [silo.bridge for silo in task.auxiliary] == [False, False, True]
    far, near, photos = (problem.world.silos[silo.name] for silo in task.auxiliary)
    for silo in (far, near):
        own = next(one for one in task.auxiliary if one.name == silo.name)
        assert torch.equal(own.samples.x, torch.from_numpy(standardise(silo.x, centre_of(silo.x))))
    bridge = task.auxiliary[2].samples
    assert torch.equal(bridge.x, torch.from_numpy(standardise(photos.x, problem.centre)))
    assert set(bridge.y.tolist()) == set(range(24, 30))
    assert task.width == far.x.shape[1]


def test_the_starts(problem):
    inits = ("means", "closed", "closed, projected", "random")
    starts = task_of(problem, inits).starts
    assert set(starts) == set(inits[:3])
    assert torch.allclose(starts["means"].head[:24], problem.means, atol=1e-6)
    assert starts["means"].head[24:].norm(dim=1).min() > 0.5
    closed, behind = starts["closed"].head, starts["closed, projected"]
    known = problem.view.fold(problem.view.directions(TRUST, 1.0))
    assert torch.equal(closed, known)
    made = behind.head @ behind.projection
    alike = torch.nn.functional.cosine_similarity(made, closed, dim=1)
    assert alike.min() > 0.9
    assert np.allclose(behind.head.norm(dim=1)[:20], 1, atol=1e-5)
    assert task_of(problem.of(())).starts == {}
