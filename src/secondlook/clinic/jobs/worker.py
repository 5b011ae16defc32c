"""Whoever does the jobs: a thread of the web process, or a process of its own."""

import logging
import threading

from django.db import Error as DatabaseError
from django.db import close_old_connections

from secondlook.clinic.jobs.services import ASKED, enqueue_periodic_jobs, run_due_jobs

logger = logging.getLogger(__name__)

PAUSE_S = 1.0  # others enqueue, too; only this process's own requests wake its worker at once
END_S = 10.0


class Worker:
    """Does jobs until told to stop; what it is at then is finished, or taken over by another one."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread of this process."""
        self.thread = threading.Thread(target=self.work, name="jobs", daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Take no further job."""
        self.stopping.set()
        ASKED.set()

    def stop(self) -> None:
        """Take no further job, and wait a while for the one at hand."""
        self.end()
        if self.thread:
            self.thread.join(END_S)

    def work(self) -> None:
        """Do jobs as they come; a database that is away is waited for."""
        asked: set[str] = set()
        while not self.stopping.is_set():
            ASKED.clear()
            try:
                asked = enqueue_periodic_jobs(asked)
                run_due_jobs(stop=self.stopping)
            except DatabaseError as error:
                logger.warning("The database does not answer (%s); trying again.", type(error).__name__)
            finally:
                close_old_connections()
            ASKED.wait(PAUSE_S)
