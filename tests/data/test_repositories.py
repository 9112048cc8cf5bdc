"""Repositories on a native database: the same tests on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agor_tui import ids
from agor_tui.errors import AgorError, AmbiguousIdError, NotFoundError, ReadOnlyError, UsageError
from agor_tui.filters import SessionFilter, TaskFilter, parse_session_filter, parse_task_filter
from agor_tui.records import Cursor, Session, Sort, SortKey, TreeNode
from agor_tui.repositories import genealogy
from agor_tui.repositories.bulk import insert_tables
from agor_tui.repositories.messages import MessageRepository
from agor_tui.repositories.places import BoardRepository, RepoRepository, UserRepository, WorktreeRepository
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.repositories.store import open_store
from agor_tui.repositories.tasks import TaskRepository
from agor_tui.services import export
from agor_tui.services.browser import END, Browser

pytestmark = pytest.mark.libsql

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class World:
    """The repositories of a database, with a repo, a worktree and a board to put sessions in."""

    def __init__(self, browser: Browser) -> None:
        store = browser.store
        self.browser = browser
        self.sessions = SessionRepository(store)
        self.tasks = TaskRepository(store)
        self.messages = MessageRepository(store)
        self.boards = BoardRepository(store)
        self.repos = RepoRepository(store)
        self.worktrees = WorktreeRepository(store)
        self.users = UserRepository(store)
        self.user = self.users.create(name="Mira Holloway", email="mira@example.org")
        self.board = self.boards.create(name="Checkout", slug="checkout", created_by=self.user.id)
        self.repo = self.repos.create(name="quay/harbor-api", path="/src/harbor-api")
        self.worktree = self.worktrees.create(
            name="main", branch="develop", repo_id=self.repo.id, board_id=self.board.id, created_by=self.user.id
        )

    def session(self, number: int = 0, **fields: Any) -> Session:
        """Make a session, changed ``number`` minutes after noon."""
        time = NOON + timedelta(minutes=number)
        given = {"title": f"Session {number}", "tool": "codex", "worktree_id": self.worktree.id, **fields}
        return self.sessions.create(**{"created_at": time, "updated_at": time, **given})


@pytest.fixture
def world(native: Browser) -> World:
    return World(native)


def listed(world: World, line: str = "") -> list[str]:
    found = world.browser.session_page(parse_session_filter(line, NOON + timedelta(days=1)), Sort(), limit=0)
    return [session.title for session in found.rows]


def test_a_session_comes_back_as_it_was_made(world: World) -> None:
    made = world.session(1, status="stopping", model="opus", description="why", created_by=world.user.id)
    again = world.browser.session(made.id)
    assert again == made
    assert (made.status, made.store_status, made.tool, made.model) == ("running", "stopping", "codex", "opus")
    assert (made.repo, made.worktree, made.branch, made.board) == ("quay/harbor-api", "main", "develop", "Checkout")
    assert made.created_at == NOON + timedelta(minutes=1)
    assert (made.task_count, made.message_count, made.tokens_input, made.cost) == (0, 0, None, None)
    detail = world.browser.session_detail(made.short_id)
    assert (detail.description, detail.created_by_name) == ("why", "Mira Holloway")


def test_milliseconds_survive(world: World) -> None:
    time = NOON + timedelta(milliseconds=123)
    assert world.session(created_at=time, updated_at=time).updated_at == time


@pytest.mark.parametrize(
    "title", ["日本語 👨‍👩‍👧‍👦", "half an emoji \ud83e", "nul \x00 inside", "mark \ufdd0d83e kept", "", "[bold]"]
)
def test_awkward_text_survives(world: World, title: str) -> None:
    made = world.session(title=title, description=title)
    # The JSON functions of an older SQLite end a string at a NUL: a title shows up to it, and its data hold all of it.
    info = world.browser.info
    ends = info.dialect == "sqlite" and tuple(map(int, info.server_version.split("."))) < (3, 45)
    shown = title.split("\x00")[0] if ends else title
    assert made.title == (shown or "codex")
    assert world.browser.session_detail(made.id).raw["description"] == title
    board = world.boards.create(name=title, slug=None, created_by="anonymous")
    assert board.name == title


def test_update_merges_replaces_clears_and_leaves(world: World) -> None:
    made = world.session(data={"model_config": {"model": "opus", "mode": "alias"}, "contextFiles": ["a", "b"], "x": 1})
    changed = world.sessions.update(
        made.id,
        {
            "title": "New",
            "status": "failed",
            "data": {"model_config": {"mode": "exact"}, "contextFiles": ["c"], "x": None},
        },
    )
    assert (changed.title, changed.status, changed.model, changed.tool) == ("New", "failed", "opus", "codex")
    raw = world.browser.session_detail(made.id).raw
    assert raw == {"title": "New", "model_config": {"model": "opus", "mode": "exact"}, "contextFiles": ["c"]}
    assert changed.updated_at is not None
    assert made.updated_at is not None
    assert changed.updated_at > made.updated_at
    cleared = world.sessions.update(made.id, {"title": None, "parent_id": None})
    assert cleared.title == "codex"


def test_updates_of_two_at_once_are_both_kept(world: World) -> None:
    made = world.session()
    barrier = threading.Barrier(2)

    def change(name: str) -> None:
        barrier.wait()
        for number in range(10):
            world.sessions.update(made.id, {"data": {f"{name}{number}": number}})

    threads = [threading.Thread(target=change, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    raw = world.browser.session_detail(made.id).raw
    assert {f"{name}{number}" for name in "ab" for number in range(10)} <= raw.keys()


def test_a_refused_change_changes_nothing(world: World) -> None:
    made = world.session()
    with pytest.raises(AgorError, match="refused"):
        world.sessions.update(made.id, {"title": "Half", "status": "dreaming"})
    with pytest.raises(UsageError, match="no field 'colour'"):
        world.sessions.update(made.id, {"colour": "red"})
    with pytest.raises(AgorError, match="reference to a row that exists"):
        world.sessions.create(tool="codex", worktree_id=ids.new_id())
    assert world.browser.session(made.id) == made
    assert world.browser.session_count(SessionFilter()).value == 1


def test_delete_takes_tasks_and_messages_along_and_frees_children(world: World) -> None:
    parent = world.session(1)
    child = world.session(2, parent_id=parent.id)
    task = world.tasks.create(session_id=parent.id, prompt="go", created_by="anonymous")
    world.messages.create(session_id=parent.id, task_id=task.id, index=0, content="go")
    world.sessions.delete(parent.id)
    with pytest.raises(NotFoundError):
        world.browser.session(parent.id)
    with pytest.raises(NotFoundError):
        world.browser.task_detail(task.id)
    assert world.browser.session(child.id).parent_id is None
    with pytest.raises(NotFoundError):
        world.sessions.delete(parent.id)


def test_every_kind_is_made_changed_and_deleted(world: World) -> None:
    session = world.session()
    task = world.tasks.create(session_id=session.id, prompt="Do it", title="Do", created_by="anonymous")
    assert world.tasks.update(task.id, {"status": "dispatching", "tool_use_count": 3}).status == "running"
    message = world.messages.create(session_id=session.id, index=0, role="assistant", type="assistant", content="Done")
    assert world.messages.update(message.id, {"content": "Really done"}).blocks[0].text == "Really done"  # type: ignore[union-attr]
    assert world.boards.update(world.board.id, {"description": "All of it"}).description == "All of it"
    assert world.repos.update(world.repo.id, {"default_branch": "main"}).default_branch == "main"
    assert world.worktrees.update(world.worktree.id, {"archived": True}).archived
    assert world.users.update(world.user.id, {"name": "M."}).name == "M."
    assert world.browser.session(session.id).archived  # as its worktree is
    for repository, row in (
        (world.messages, message),
        (world.tasks, task),
        (world.worktrees, world.worktree),
        (world.repos, world.repo),
        (world.boards, world.board),
        (world.users, world.user),
    ):
        repository.delete(row.id)
        with pytest.raises(NotFoundError):
            repository.get(row.id)
    assert world.browser.session_count(SessionFilter(archived="any")).value == 0  # gone with its worktree


def test_a_database_opened_read_only_refuses_every_change(world: World) -> None:
    made = world.session()
    with Browser(*open_store(world.browser.store.database.place, read_only=True)) as reader:
        sessions = SessionRepository(reader.store)
        with pytest.raises(ReadOnlyError):
            sessions.update(made.id, {"title": "x"})
        with pytest.raises(ReadOnlyError):
            sessions.delete(made.id)
        assert reader.session(made.id) == made


@pytest.mark.parametrize("key", ["updated", "created", "title", "status", "tool", "id"])
@pytest.mark.parametrize("descending", [True, False])
def test_keyset_pages_are_the_whole_list_in_order(world: World, key: SortKey, descending: bool) -> None:
    same = NOON + timedelta(hours=5)
    for number in range(7):
        world.session(number, status=("idle", "failed")[number % 2], tool=("codex", "gemini")[number % 3 == 0])
    for _ in range(4):  # equal keys: ordered by id
        world.session(99, created_at=same, updated_at=same)
    sort, every = Sort(key, descending), SessionFilter()
    whole = world.browser.session_page(every, sort, limit=0).rows
    assert len({session.id for session in whole}) == 11
    forward: list[Session] = []
    after: Cursor | None = None
    while True:
        page = world.browser.session_page(every, sort, after=after, limit=3)
        assert (page.previous is None) == (after is None)
        forward += page.rows
        if page.next is None:
            break
        after = page.next
    assert tuple(forward) == whole
    backward: list[Session] = []
    before: Cursor | None = END
    while before is not None:
        page = world.browser.session_page(every, sort, before=before, limit=3)
        backward[:0] = page.rows
        before = page.previous
    assert tuple(backward) == whole
    place = world.browser.session_cursor(whole[4].id, sort)
    assert world.browser.session_page(every, sort, after=place, limit=2).rows == whole[5:7]
    assert world.browser.session_page(every, sort, after=place, offset=2, limit=2).rows == whole[7:9]
    key_of = {"updated": "updated_at", "created": "created_at", "status": "store_status"}.get(key, key)
    values = [(getattr(session, key_of), session.id) for session in whole]
    assert values == sorted(values, reverse=descending)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "fork child old parent"),
        ("status:running", "child"),
        ("status:!running", "fork old parent"),
        ("status:failed,stopped", "old"),
        ("tool:codex", "child old parent"),
        ("tool:codex,!gemini", "child old parent"),
        ("-tool:codex", "fork"),
        ("repo:harbor-api", "fork child old parent"),
        ("repo:quay/harbor-api", "fork child old parent"),
        ("repo:har*", "fork child old parent"),
        ("repo:nowhere", ""),
        ("worktree:side", "fork"),
        ("worktree:quay/harbor-api/side", "fork"),
        ("-worktree:side", "child old parent"),
        ("board:checkout", "child old parent"),
        ("-board:checkout", "fork"),
        ("user:mira", "old"),
        ("user:me", "old"),
        ("user:anonymous", "fork child parent"),
        ("since:30h", "fork child parent"),
        ("until:2026-02-01", "old"),
        ("archived:yes", "gone"),
        ("archived:any", "gone fork child old parent"),
        ("has:parent", "fork child"),
        ("has:children", "parent"),
        ("has:tasks", "child"),
        ("-has:messages", "fork old parent"),
        ("CHI", "child"),
        ("-chi", "fork old parent"),
        ("100%", ""),
        ("pa_ent", ""),
        ("status:running tool:codex chi", "child"),
    ],
)
def test_filters(world: World, line: str, expected: str) -> None:
    side = world.worktrees.create(name="side", branch="side", repo_id=world.repo.id)
    parent = world.session(1, title="parent")
    old = NOON - timedelta(days=60)
    world.session(title="old", status="timed_out", created_by=world.user.id, created_at=NOON, updated_at=old)
    child = world.session(3, title="child", status="running", parent_id=parent.id)
    world.session(4, title="fork", tool="gemini", forked_from_id=parent.id, worktree_id=side.id)
    world.session(5, title="gone", archived=True)
    world.tasks.create(session_id=child.id, prompt="go")
    world.messages.create(session_id=child.id, index=0, content="go")
    order = ["gone", "fork", "child", "parent", "old"]
    assert listed(world, line) == sorted(expected.split(), key=order.index)
    assert world.browser.session_count(parse_session_filter(line, NOON + timedelta(days=1))).value == len(
        expected.split()
    )


def test_names_that_a_filter_does_not_find_are_explained(world: World) -> None:
    notes = world.browser.explain_filter(parse_session_filter("repo:quay/harbor-ap user:nobody board:checkout", NOON))
    assert notes == (
        "No repo is named “quay/harbor-ap”; the nearest is “quay/harbor-api”.",
        "No user is named “nobody”.",
    )


def test_counts_stop_at_the_cap(world: World) -> None:
    for number in range(4):
        world.session(number)
    found = world.browser.session_count(SessionFilter(), cap=3)
    assert (found.value, found.exact) == (3, False)
    found = world.browser.session_count(SessionFilter(), cap=4)
    assert (found.value, found.exact) == (4, True)


def test_short_ids_are_the_shortest_that_set_a_row_apart(world: World) -> None:
    wanted = {
        "0199b73d-07d0-7e93-ba35-c1972d7bf135": "0199b73d0",
        "0199b73d-3a18-7bf6-854a-ddf3a78077d3": "0199b73d3",
        "0199f43c-02bc-73e7-8fc4-73dcb0242725": "0199f43c02bc73",
        "0199f43c-02bc-78db-8c68-407d6e86e225": "0199f43c02bc78",
        "01a00000-0000-7000-8000-000000000000": "01a00000",
    }
    for number, row_id in enumerate(wanted):
        world.session(number, id=row_id)
    rows = world.browser.session_page(SessionFilter(), Sort("id", False), limit=0).rows
    assert {session.id: session.short_id for session in rows} == wanted
    for row_id, short_id in wanted.items():
        assert world.browser.session(short_id).id == row_id
        assert world.browser.session(row_id.upper()).id == row_id
        assert world.browser.session(f"https://agor.example/ui/s/{ids.compact(row_id)[:24]}/").id == row_id
    with pytest.raises(AmbiguousIdError) as ambiguous:
        world.browser.resolve("0199F43C-02")
    assert [match.short_id for match in ambiguous.value.ambiguity.matches] == ["0199f43c02bc73", "0199f43c02bc78"]
    with pytest.raises(NotFoundError) as missing:
        world.browser.session("0199b73d9")
    assert "0199b73d3a187bf6854addf3a78077d3" in missing.value.hint
    for wrong in ("%", "0199%", "0199_", "xyzw", "", "019", "0199b73d b52e"):
        with pytest.raises(UsageError):
            world.browser.session(wrong)


def test_more_candidates_than_are_listed_are_counted(world: World) -> None:
    for number in range(25):
        world.session(number, id=f"0199b73d-0000-7000-8000-{number:012d}")
    found = world.browser.candidates("0199b73d", ("session",))
    assert (found.count, len(found.matches)) == (25, 20)
    assert found.matches[0].short_id == "0199b73d00007000800000000000000"[:31] + "0"


def test_any_kind_is_found_by_its_id(world: World) -> None:
    session = world.session()
    task = world.tasks.create(session_id=session.id, prompt="go", title="Go on")
    message = world.messages.create(session_id=session.id, index=0, content="go")
    kinds = {
        world.browser.resolve(row.id).kind
        for row in (session, task, message, world.board, world.repo, world.worktree, world.user)
    }
    assert kinds == {"session", "task", "message", "board", "repo", "worktree", "user"}
    assert world.browser.resolve(task.id).title == "Go on"


def test_genealogy(world: World) -> None:
    root = world.session(1, title="root")
    spawned = world.session(3, title="spawned", parent_id=root.id)
    forked = world.session(2, title="forked", forked_from_id=root.id)
    leaf = world.session(4, title="leaf", parent_id=spawned.id)
    assert [session.title for session in world.browser.ancestors(leaf.id)] == ["spawned", "root"]
    assert [session.title for session in world.browser.children(root.id)] == ["forked", "spawned"]
    tree = world.browser.tree(leaf.id)
    assert (tree.session.id, tree.relation) == (root.id, "root")
    assert [(node.session.id, node.relation) for node in tree.children] == [
        (forked.id, "forked"),
        (spawned.id, "spawned"),
    ]
    assert [node.session.title for node in tree.children[1].children] == ["leaf"]


def test_genealogy_ends_in_a_cycle_and_knows_no_depth(world: World) -> None:
    first = world.session(1)
    second = world.session(2, parent_id=first.id)
    third = world.session(3, parent_id=second.id)
    world.sessions.update(first.id, {"parent_id": third.id})
    assert [session.id for session in world.browser.ancestors(first.id)] == [third.id, second.id]
    tree = world.browser.tree(first.id)
    assert tree.children[0].children[0].children[0].cut
    itself = world.session(4)
    world.sessions.update(itself.id, {"parent_id": itself.id})
    assert world.browser.ancestors(itself.id) == ()
    assert world.browser.tree(itself.id).children == ()


def fill_family(world: World, parents: Sequence[str | None]) -> list[str]:
    """Make a session for each of ``parents``: the id of its parent, or ``#`` and the number of one made here."""
    made: list[str] = []
    rows = []
    for parent in parents:
        made.append(ids.new_id())
        above = made[int(parent[1:])] if parent and parent[0] == "#" else parent
        times = {"created_at": NOON, "updated_at": NOON}
        links = {"worktree_id": world.worktree.id, "parent_session_id": above}
        rows.append({"session_id": made[-1], "status": "idle", "agentic_tool": "codex", "data": "{}", **times, **links})
    insert_tables(world.browser.store.database, {"sessions": rows})
    return made


def nodes(root: TreeNode) -> dict[str, TreeNode]:
    """All nodes of a tree by id."""
    found: dict[str, TreeNode] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found[node.session.id] = node
        waiting += node.children
    return found


def test_a_family_too_large_for_the_tree_shows_the_session_asked_for_and_counts_the_others(world: World) -> None:
    made = fill_family(world, [None, *["#0"] * 2_500, "#2500", "#2500"])
    root, last, grandchild = made[0], made[2_500], made[2_502]
    whole = world.browser.tree(root)
    assert (len(nodes(whole)), whole.more, whole.cut) == (2_000, 501, True)
    shown = nodes(world.browser.tree(grandchild))
    assert len(shown) == 2_000
    assert {root, last, grandchild, made[2_501]} <= shown.keys()  # itself, its ancestors, its sibling
    assert (shown[root].more, shown[last].more, shown[grandchild].cut) == (503, 0, False)
    assert len(world.browser.children(root)) == 2_500
    written = json.loads(b"".join(export.tree_json(world.browser.tree(grandchild))))
    assert (written["cut"], written["more"], written["above"]) == (True, 503, 0)


def test_a_line_of_ancestors_too_long_for_the_tree_ends_in_the_session_asked_for(world: World) -> None:
    made = fill_family(world, [None, *(f"#{number}" for number in range(2_000))])
    tree = world.browser.tree(made[-1])
    assert (tree.above, tree.cut, tree.session.id) == (501, True, made[501])
    assert made[-1] in nodes(tree)
    short = world.browser.tree(made[10])
    assert (short.above, len(nodes(short)), nodes(short)[made[1_999]].more) == (0, 2_000, 1)


def test_a_session_spawned_and_forked_from_the_same_is_one_child(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genealogy, "LARGEST_TREE", 4)
    root = world.session(1)
    for number in range(2, 9):
        world.session(number, parent_id=root.id, forked_from_id=root.id)
    world.sessions.update(root.id, {"parent_id": root.id})
    tree = world.browser.tree(root.id)
    assert (len(tree.children), tree.more) == (3, 4)


def test_genealogy_of_a_long_chain(world: World) -> None:
    chain = fill_family(world, [None, *(f"#{number}" for number in range(1_199))])
    assert len(world.browser.ancestors(chain[-1])) == 1_199
    node, depth = world.browser.tree(chain[-1]), 1
    while node.children:
        node, depth = node.children[0], depth + 1
    assert (node.session.id, depth) == (chain[-1], 1_200)


def test_tasks_of_a_session_and_pages_of_tasks(world: World) -> None:
    session, other = world.session(1), world.session(2, tool="gemini")
    made = [
        world.tasks.create(
            session_id=(session, other)[number % 2].id,
            prompt=f"Prompt {number}",
            status=("completed", "queued")[number % 3 == 0],
            created_at=NOON + timedelta(minutes=number),
        )
        for number in range(6)
    ]
    assert [task.id for task in world.browser.tasks_of(session.id)] == [made[0].id, made[2].id, made[4].id]
    every = world.browser.task_page(TaskFilter(), limit=4)
    assert [task.id for task in every.rows] == [task.id for task in reversed(made[2:])]
    assert world.browser.task_page(TaskFilter(), after=every.next).rows == tuple(
        map(world.tasks.get, (made[1].id, made[0].id))
    )
    for line, expected in (("tool:gemini", 3), ("status:created", 2), ("prompt -3", 5), (f"session:{session.id}", 3)):
        assert len(world.browser.task_page(parse_task_filter(line, NOON)).rows) == expected, line
    assert world.browser.session(session.id).task_count == 3


def test_the_times_of_a_task_come_from_where_they_are(world: World) -> None:
    session = world.session()
    span = {"start_timestamp": "2026-03-01T12:00:00.500Z", "end_timestamp": "2026-03-01T12:00:03Z"}
    task = world.tasks.create(session_id=session.id, status="completed", data={"message_range": span})
    assert task.started_at == NOON + timedelta(milliseconds=500)
    assert (task.completed_at, task.duration_ms) == (NOON + timedelta(seconds=3), 2500)
    running = world.tasks.create(session_id=session.id, status="running", data={"message_range": span})
    assert (running.completed_at, running.duration_ms) == (None, None)
    odd = world.tasks.create(
        session_id=session.id, status="completed", data={"message_range": {"start_timestamp": "soon"}}
    )
    assert (odd.started_at, odd.completed_at) == (None, None)


def test_a_conversation_by_position_range_and_task(world: World) -> None:
    session = world.session()
    task = world.tasks.create(session_id=session.id, prompt="go")
    roles = ["user", "assistant", "user", "user", "assistant"]
    contents: list[Any] = [
        "go",
        "I look",
        [{"type": "tool_result", "tool_use_id": "x", "content": "ok"}],
        "more",
        "done",
    ]
    made = [
        world.messages.create(
            session_id=session.id, task_id=task.id if number < 3 else None, role=role, type=role,
            index=min(number, 3), content=contents[number], timestamp=NOON + timedelta(seconds=number),
        )
        for number, role in enumerate(roles)
    ]  # fmt: skip
    queued = [
        world.messages.create(
            session_id=session.id, index=-1, status="queued", queue_position=place, content=f"later {place}"
        )
        for place in (2, 1)
    ]
    order = [message.id for message in made] + [queued[1].id, queued[0].id]
    browser = world.browser
    assert browser.message_count(session.id) == 7
    for start, limit in ((0, 0), (0, 3), (3, 2), (3, 4), (4, 10), (5, 1), (6, 5), (7, 5)):
        found = [message.id for message in browser.message_window(session.id, start, limit)]
        assert found == order[start : start + limit if limit else None], (start, limit)
    assert [message.id for message in browser.messages_of_task(task.id)] == order[:3]
    assert [message.id for message in world.messages.in_range(session.id, 1, 2)] == order[1:3]
    assert browser.prompt_ordinals(session.id) == (0, 3)
    assert browser.task_ordinal(session.id, task.id) == 0
    assert browser.message_position(session.id, queued[0].id) == 6
    assert browser.session(session.id).message_count == 7


def test_a_prompt_that_only_its_task_holds_is_shown(world: World) -> None:
    session = world.session(tool="opencode")
    task = world.tasks.create(session_id=session.id, prompt="Only here")
    for index in range(2):
        world.messages.create(
            session_id=session.id, task_id=task.id, index=index, role="assistant", type="assistant", content="Done"
        )
    turns = world.browser.conversation(session.id, 0, 10)
    assert [(turn.prompt, turn.task is not None) for turn in turns] == [("Only here", True), (None, False)]


def test_broken_json_of_one_row_does_not_break_the_page(world: World) -> None:
    if world.browser.info.dialect == "postgresql":
        pytest.skip("a JSONB column cannot hold broken JSON")
    from sqlalchemy import text

    world.session(1, title="whole")
    broken = world.session(2, title="broken")
    statement = text("UPDATE sessions SET data = '{broken' WHERE session_id = :id").bindparams(id=broken.id)
    world.browser.store.database.write(lambda connection: connection.execute(statement))
    assert listed(world) == ["codex", "whole"]
    assert world.browser.session_detail(broken.id).raw == {"broken JSON": "{broken"}
    with pytest.raises(AgorError, match="broken JSON"):
        world.sessions.update(broken.id, {"title": "x"})


def test_ids_of_other_stores_are_found_in_any_case_where_only_one_fits(world: World) -> None:
    first, second, third = "ses_e02e16AbCdEf01", "ses_e02e17abcdef01", "ses_E02E17ABCDEF01"
    for number, row_id in enumerate((first, second, third)):
        world.session(number, id=row_id)
    resolve = world.browser.resolve
    assert resolve("SES_E02E16ABCDEF01", ("session",)).id == first
    assert resolve("`ses_E02e16…`,", ("session",)).id == first
    assert resolve("opencode -s SES_e02e16", ("session",)).id == first
    assert [resolve(whole, ("session",)).id for whole in (second, third)] == [second, third]
    with pytest.raises(AmbiguousIdError) as error:
        resolve("SES_E02E17", ("session",))
    assert {match.id for match in error.value.ambiguity.matches} == {second, third}
    with pytest.raises((NotFoundError, UsageError)):
        resolve("sesXe02e16", ("session",))  # an underscore is no wildcard
