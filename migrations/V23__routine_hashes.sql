-- What the engine's functions were when sluice installed them: which were edited by hand since is said before an upgrade
-- replaces them.

alter table sluice.engine add routine_hashes jsonb;
comment on column sluice.engine.routine_hashes is
  'Of each function as it was installed, a hash; null: installed by a version that did not note it.';
