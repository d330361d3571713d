-- On PostgreSQL 16 and later a batch of new rows was remembered with the digests and the places of its records in different
-- orders, so that a payload was taken for known by the row of another one. What is remembered is learned anew.

delete from sluice.known_anchors;
delete from sluice.known_payloads;
