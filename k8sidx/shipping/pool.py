"""Workers in processes of their own, one a core, fed and emptied by the shipping process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from k8sidx.errors import StoreError
from k8sidx.shipping.worker import Outcome, Worker, WorkerSettings
from k8sidx.sources.chunks import Chunk

AHEAD = 2
"""Chunks that a worker may have waiting: enough to keep it busy, no more, so that a slow
store slows reading and memory stays bounded."""


class WorkerPool:
    """Gives chunks to the least busy worker and hands out what they finish.

    :param count: number of processes.
    """

    def __init__(self, settings: WorkerSettings, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._processes = []
        self._busy: dict[Connection, int] = {}
        for _ in range(count):
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._busy[mine] = 0

    def submit(self, chunk: Chunk) -> Iterator[Outcome]:
        """Hand a chunk out, first waiting for room; yields the outcomes that came meanwhile.

        :raises StoreError: when a worker died.
        """
        yield from self._ready(timeout=0)
        while min(self._busy.values()) >= AHEAD:
            yield from self._ready(timeout=None)
        worker = min(self._busy, key=lambda one: self._busy[one])
        self._send(worker, chunk)

    def finish(self) -> Iterator[Outcome]:
        """Let all workers end; yields what is still to come from them."""
        for worker in self._busy:
            self._send(worker, None)
        while any(self._busy.values()):
            yield from self._ready(timeout=None)
        for process in self._processes:
            process.join()

    def stop(self) -> None:
        """End the workers at once."""
        for process in self._processes:
            process.terminate()
            process.join()

    def _send(self, worker: Connection, chunk: Chunk | None) -> None:
        try:
            worker.send(chunk)
        except OSError as error:
            raise _died() from error
        self._busy[worker] += 1

    def _ready(self, timeout: float | None) -> Iterator[Outcome]:
        waiting = [worker for worker, busy in self._busy.items() if busy]
        for worker in wait(waiting, timeout):
            assert isinstance(worker, Connection)  # noqa: S101 - for the type checker
            try:
                outcome = worker.recv()
            except (EOFError, OSError) as error:
                raise _died() from error
            if isinstance(outcome, BaseException):
                raise outcome
            self._busy[worker] -= 1
            yield outcome


def worker_count() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _died() -> StoreError:
    return StoreError(
        "a worker process ended before its work was done (out of memory?).",
        remedy="What was committed is stored; run the command again.",
    )


def _serve(connection: Connection, settings: WorkerSettings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(settings)
    while True:
        try:
            chunk = connection.recv()
        except EOFError:
            return
        try:
            outcome: Outcome | Exception = worker.finish() if chunk is None else worker.take(chunk)
        except Exception as error:  # noqa: BLE001 - raised again in the shipping process
            outcome = error
        connection.send(outcome)
        if chunk is None:
            return
