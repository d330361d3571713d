create or replace function sluice._execute_merge(p_merge text, p_batch_id bigint)
returns bigint
language plpgsql volatile
set search_path = ''
as $$
declare
  v_written bigint;
begin
  execute p_merge using p_batch_id;
  get diagnostics v_written = row_count;
  -- Deferred constraints would fail at commit, where no record can be told apart.
  set constraints all immediate;
  return v_written;
end
$$;

comment on function sluice._execute_merge(text, bigint) is
  'Runs a merge with every deferred constraint checked at once; returns the rows written.';
