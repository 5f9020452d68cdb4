"""Messages out of the outbox to their receivers, and pictures from addresses that clients name.

Every outgoing connection of Openplate is made here, under the rules of ``addresses`` and ``connections``.
"""
