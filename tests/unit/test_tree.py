import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.errors import WorkError
from stackgen.tree import File, Tree

# A leading letter tells files from directories, so that no path is both.
directories = st.lists(st.sampled_from(["da", "db", "dc"]), max_size=3)
paths = st.builds(
    lambda parents, name: "/".join([*parents, name]), directories, st.sampled_from(["fa", "fb"])
)
trees = st.dictionaries(paths, st.builds(File, st.text(max_size=3)), max_size=6).map(Tree)


@given(trees, trees)
def test_joining_is_commutative_or_refused_both_ways(left: Tree, right: Tree):
    conflict = any(left[path] != right[path] for path in left.keys() & right.keys())
    if conflict:
        for one, other in ((left, right), (right, left)):
            with pytest.raises(WorkError):
                one | other
    else:
        assert left | right == right | left
        assert set(left | right) == set(left) | set(right)


@given(trees, trees, trees)
def test_joining_is_associative(a: Tree, b: Tree, c: Tree):
    try:
        expected = (a | b) | c
    except WorkError:
        with pytest.raises(WorkError):
            a | (b | c)
    else:
        assert a | (b | c) == expected


@given(trees)
def test_the_empty_tree_changes_nothing_and_order_is_sorted(tree: Tree):
    assert tree | Tree() == tree
    assert list(tree) == sorted(tree)
    assert tree | tree == tree


@given(trees)
def test_below_moves_every_file(tree: Tree):
    assert dict(tree.below("top")) == {f"top/{path}": file for path, file in tree.items()}


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../b", "a//b", "./a", "a/"])
def test_a_path_that_is_not_plain_is_refused(path: str):
    with pytest.raises(WorkError, match=r"is no plain relative path$"):
        Tree({path: File("")})


def test_a_file_that_is_also_a_directory_is_refused():
    with pytest.raises(WorkError) as caught:
        Tree({"a": File(""), "a/b": File("")})
    assert str(caught.value) == "a is a file and a directory at once"


def test_two_generators_that_differ_are_refused():
    with pytest.raises(WorkError) as caught:
        Tree({"a": File("1")}) | Tree({"a": File("2")})
    assert str(caught.value) == "two generators write a differently"
