"""Worker pool: processes that the shipping process feeds and empties. It works itself
whenever they all have enough to do."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Literal, TypeAlias

from k8sidx.errors import StoreError
from k8sidx.events.records import Chunk
from k8sidx.shipping.worker import Outcome, Worker, WorkerSettings

Task: TypeAlias = "tuple[int, Chunk] | Literal['flush', 'end']"
"""A chunk with its number; or to finish the open batches, and continue or end."""
FLUSH: Task = "flush"
END: Task = "end"

AHEAD = 2
"""Chunks that a worker may have: one it works on and the next. No more, so that memory stays
bounded."""


class WorkerPool:
    """Gives chunks to the least busy worker and returns what they finish.

    :param count: number of processes.
    """

    def __init__(self, settings: WorkerSettings, count: int) -> None:
        self._workers = [_Remote(settings) for _ in range(count)]

    @property
    def has_room(self) -> bool:
        """A worker can take another chunk without keeping it waiting for long."""
        return min(worker.busy for worker in self._workers) < AHEAD

    def submit(self, number: int, chunk: Chunk) -> None:
        """Hand a chunk to the least busy worker."""
        min(self._workers, key=lambda worker: worker.busy).give((number, chunk))

    def flush(self) -> None:
        """Let all workers finish their open batches; ``ready`` returns them."""
        for worker in self._workers:
            worker.give(FLUSH)

    def ready(self) -> Iterator[Outcome]:
        """The outcomes that have come, without waiting.

        :raises StoreError: when a worker died.
        """
        yield from self._ready(timeout=0)

    def finish(self) -> Iterator[Outcome]:
        """Let all workers end; yields what is still to come from them."""
        for worker in self._workers:
            worker.give(END)
        while any(worker.busy for worker in self._workers):
            yield from self._ready(timeout=None)
        for worker in self._workers:
            worker.process.join()

    def stop(self) -> None:
        """End the workers, at once where they have not finished."""
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()

    def _ready(self, timeout: float | None) -> Iterator[Outcome]:
        busy = {worker.connection: worker for worker in self._workers if worker.busy}
        for connection in wait(list(busy), timeout):
            yield busy[connection].take()  # type: ignore[index]


class _Remote:
    """A worker process, seen from the shipping process.

    Chunks are sent by a thread: were both processes to send at once, each would wait for
    the other to receive.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self.process.start()
        theirs.close()
        self.busy = 0
        self._outbox: queue.SimpleQueue[Task] = queue.SimpleQueue()
        threading.Thread(target=self._send, daemon=True).start()

    def give(self, task: Task) -> None:
        """Send a task; each has an outcome."""
        self.busy += 1
        self._outbox.put(task)

    def take(self) -> Outcome:
        """The outcome of a chunk.

        :raises StoreError: when the worker died.
        """
        try:
            outcome: Outcome | BaseException = self.connection.recv()
        except (EOFError, OSError) as error:
            raise StoreError(
                "a worker process ended before its work was done (out of memory?).",
                remedy="What was committed is stored; run the command again.",
            ) from error
        if isinstance(outcome, BaseException):
            raise outcome
        self.busy -= 1
        return outcome

    def _send(self) -> None:
        while True:
            task = self._outbox.get()
            try:
                self.connection.send(task)
            except OSError:
                return  # the worker is gone: receiving from it says so
            if task == END:
                return


def worker_count() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _serve(connection: Connection, settings: WorkerSettings) -> None:
    # The shipping process ends us when it is told to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker = Worker(settings)
    while True:
        try:
            task: Task = connection.recv()
        except (EOFError, OSError):
            return  # the shipping process is gone
        try:
            outcome: Outcome | Exception = (
                worker.finish() if isinstance(task, str) else worker.take(*task)
            )
        except Exception as error:  # noqa: BLE001 - raised again in the shipping process
            outcome = error
        try:
            connection.send(outcome)
        except OSError:
            return
        if task == END:
            return
