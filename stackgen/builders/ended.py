"""What has come of parts that ran on several nodes, put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock as Mutex

from stackgen.builders.job import Came
from stackgen.errors import WorkError
from stackgen.progress import Advance, Progress
from stackgen.run import Outcome
from stackgen.store import Store, Told, Work, finish, is_done


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The Spacks of several nodes, as far as they have ended."""

    work: Work
    store: Store
    told: Told
    progress: Progress
    failed: list[Outcome] = field(default_factory=list)
    lost: list[WorkError] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """Nodes that found nothing left to be done."""
    _mutex: Mutex = field(default_factory=Mutex)

    def hearing(self, advance: Advance) -> Callable[[str, str], None]:
        """What hears a line of the Spack of a node; all nodes tell at once."""

        def heard(node: str, line: str) -> None:
            with self._mutex:
                self.told.listener(advance, node)(line)

        return heard

    def add(self, came: Came) -> bool:
        """Note how a node has ended; whether it found that nothing is left to be done."""
        with self._mutex:
            self.told.leave(came.node)
        if self.done and not came.node:  # given back, as it was not needed any more
            return False
        if error := came.failure():
            self.lost.append(error)
            self.progress.say(f"note: {error.what}")
            return False
        if came.result.get("alone"):
            what = f"the file system of {self.store.prefix} has no locks between nodes"
            self.progress.say(
                f"{what}: {came.node} is not used (mounted with them, as by `flock`, it would be)"
            )
            return False
        outcome = Outcome(status=came.result["status"], stdout="", stderr=came.result["stderr"])
        if outcome.status:
            self.failed.append(outcome)
        if outcome.status and not self.told.settled:
            return False
        self.done.append(came.node)
        return True

    def judge(self) -> None:
        """WorkError where not all is installed; what a lost node had begun, the others may have finished."""
        if is_done(self.work, self.store):
            finish(self.work, self.store)
        elif self.failed:
            raise self.told.error(self.failed[0])
        elif self.lost:
            raise self.lost[0]
        else:
            finish(self.work, self.store)


def refuse_failed(failed: Sequence[Came], total: int) -> None:
    """WorkError where frameworks could not be built: each reason once, with all the nodes that told it."""
    reasons: dict[str, WorkError] = {}
    nodes: dict[str, list[str]] = {}
    for came in failed:
        if came.error:
            reasons[str(came.error)] = came.error
            nodes.setdefault(str(came.error), []).extend((came.node,) if came.said else ())
    errors = [
        WorkError(f"{_on(nodes[key])}{error.what}", error.remedy, details=error.details)
        for key, error in sorted(reasons.items())
    ]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        listed = "".join(f"\n  {error}" for error in errors)
        details = "\n".join(error.details for error in errors)
        raise WorkError(f"{len(failed)} of {total} frameworks could not be built:{listed}", details=details)


def _on(nodes: Sequence[str]) -> str:
    return f"on {', '.join(sorted(nodes))}: " if nodes else ""
