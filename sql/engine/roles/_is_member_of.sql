-- Its cost is what the planner has to weigh in the policies of tables: for a few rows it looks up whose their pipelines
-- are, for many it asks once for all pipelines. Without settings of its own, which would cost more than all it does.
create or replace function sluice._is_member_of(p_role text)
returns boolean
language plpgsql stable
cost 100
as $$
begin
  return coalesce(pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(p_role))::pg_catalog.oid,
    'usage'), false);
end
$$;

comment on function sluice._is_member_of(text) is
$$Whether the caller has the rights of a role: as its member, or as a superuser. False of a role that is none any
more.$$;
