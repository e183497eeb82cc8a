"""Links hold in the repository, too; `make docs` holds those of the site, with their anchors."""

import pytest

from tests.docs.guides import PAGES, ROOT, links


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_of_the_repository(page: str) -> None:
    for target in links(page):
        path = target.partition("#")[0]
        if path and "://" not in path:
            assert ((ROOT / page).parent / path).is_file(), target
