"""The operations of ``/api/v1``, one file for each kind of record; all call the services that the pages call."""
