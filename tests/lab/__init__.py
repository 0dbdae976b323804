"""The lab: real servers in a network namespace of their own, one set right and one set wrong.

Nothing here imitates a server.  DNS is NSD with signed zones behind a validating unbound, the web is nginx, SSH is
OpenSSH, the open databases are Redis and PostgreSQL, mail is SMTP over sockets.  See `lab.Lab`.
"""
