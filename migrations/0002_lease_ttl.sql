-- Every node judges the others by its own lease: one that starts beside a living node with another lease is refused.
ALTER TABLE node ADD COLUMN lease_ttl_ms int NOT NULL DEFAULT 3000;
