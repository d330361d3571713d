create or replace function sluice._advance_batch(p_from text, p_to text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_step text;
begin
  begin
    select b.step into v_step from pg_temp.sluice_batch b;
  exception when undefined_table then
    null; -- never was a batch in this session
  end;
  if v_step is distinct from p_from then
    raise exception using errcode = 'SL002',
      message = case
        when v_step is null then 'no batch is open in this transaction'
        when v_step = 'opened' then 'the batch has not been transformed'
        else format('the batch has been %s already', v_step) end,
      hint = case
        when v_step is null then 'begin; select * from sluice.begin_batch(...) comes first'
        when v_step = 'opened' then 'select * from sluice.transform_batch(...) comes before load_batch'
        when v_step = 'loaded' then 'commit; the next batch begins with begin_batch'
        else 'select * from sluice.load_batch(...) comes next' end;
  end if;
  update pg_temp.sluice_batch set step = p_to;
end
$$;

comment on function sluice._advance_batch(text, text) is
  'A batch is opened, transformed, loaded: each once, in this order (SL002).';
