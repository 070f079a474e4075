-- What the conversions of docs/type-maps.md mean, in PostgreSQL's own terms. Nothing here is taken from
-- src/encode: shapes are regular expressions, values are made by PostgreSQL's input functions and by
-- numeric arithmetic. Every function returns NULL, or fails with an error of class 22, for what is refused.
-- The exact value of a double, from its bits. Below 1e-12 nothing that is asked here is left of it.
create function exact(r float8) returns numeric language plpgsql immutable as $$
declare
    bits bigint := ('x' || encode(float8send(r), 'hex'))::bit(64)::bigint;
    exponent int := ((bits >> 52) & 2047)::int - 1075;
    mantissa numeric := (bits & 4503599627370495) | 4503599627370496;
begin
    if r in ('inf', '-inf') then return null; end if;
    if abs(r) < 1e-12 then return 0; end if;
    if exponent >= 0 then
        mantissa := mantissa * 2::numeric ^ exponent;
    else
        mantissa := mantissa * 5::numeric ^ -exponent * ('1e' || exponent)::numeric;
    end if;
    return case when r < 0 then -mantissa else mantissa end;
end $$;

-- The fewest digits that read back as the same double, as PostgreSQL prints them. Of an interval it leaves
-- out the ends, which are as good where they read back (1e23).
create function shortest(r float8) returns text language plpgsql immutable as $$
declare
    shown text := r::text;
    digits int := length(regexp_replace(shown, '^-|\.|e.*$', '', 'g'));
    fewer text;
begin
    if abs(r) < 1e16 or abs(r) > 1e308 then return shown; end if;
    fewer := round(exact(r), digits - 2 - substr(shown, strpos(shown, 'e') + 1)::int)::numeric::text;
    if digits = 1 or fewer::float8 <> r then return shown; end if;
    shown := rtrim(ltrim(fewer, '-'), '0');
    return case when r < 0 then '-' else '' end || left(shown, 1)
        || case when length(shown) > 1 then '.' || substr(shown, 2) else '' end
        || 'e+' || length(ltrim(fewer, '-')) - 1;
end $$;

-- Two decimals of the same length may both be the shortest of a double, as near to it on either side.
create function as_short(ours text, theirs text, r float8) returns boolean language sql immutable as
    $$ select length(ours) = length(theirs) and ours::float8 = r and theirs::float8 = r $$;

-- A real as text: shortest digits, always with a point or an exponent, Inf.
create function real_text(r float8) returns text language plpgsql immutable as $$
declare
    shown text := shortest(r);
    parts text[] := regexp_match(shown, '^(.*)e([+-]\d+)$');
begin
    if r = 'inf' then return 'Inf'; end if;
    if r = '-inf' then return '-Inf'; end if;
    if parts[2]::int = 15 then
        shown := trim_scale(parts[1]::numeric * 1e15)::text;
    elsif parts is not null then
        return parts[1] || 'e' || parts[2]::int;
    end if;
    return case when strpos(shown, '.') > 0 then shown else shown || '.0' end;
end $$;

-- An integer from an exact number: half away from zero.
create function whole(n numeric) returns bigint language sql immutable as 'select round(n)::bigint';

create function interval_us(us bigint) returns interval language sql immutable as
    $$ select (us || ' microseconds')::interval $$;

-- An instant from microseconds since 2000.
create function instant(us numeric) returns timestamptz language sql immutable as
    $$ select timestamptz '2000-01-01 00:00:00+00' + interval_us(round(us)::bigint) $$;

create function midnight(t timestamp) returns date language sql immutable as
    $$ select case when t = date_trunc('day', t) then t::date end $$;

create function day(s text) returns date language sql immutable as
    $$ select case when s ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then s::date end $$;

-- Date, hours and minutes, seconds, fraction, zone.
create function iso_parts(s text) returns text[] language plpgsql immutable as $$
declare
    parts text[] := regexp_match(s, '^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]'
        || '((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?'
        || '(Z|z| UTC| ?[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)?$');
begin
    return array[parts[1], parts[2], coalesce(parts[3], '00'), parts[4],
        ltrim(replace(parts[5], ' UTC', 'Z'))];
end $$;

-- Microseconds of a fraction's digits; to the nearest, or NULL where that would change it.
create function fraction_us(digits text, rounds boolean) returns bigint language sql immutable as $$
    select case when rounds or scaled = round(scaled) then round(scaled)::bigint end
    from (select coalesce(('0.' || digits)::numeric, 0) * 1000000 as scaled) x
$$;

-- The clock that a text shows.
create function iso_clock(s text, rounds boolean) returns timestamp language sql immutable as $$
    select (p[1] || ' ' || p[2] || ':' || p[3])::timestamp + interval_us(fraction_us(p[4], rounds))
    from (select iso_parts(s) as p) x
$$;

-- The instant of a text with a zone.
create function iso_instant(s text, rounds boolean) returns timestamptz language sql stable as $$
    select (p[1] || ' ' || p[2] || ':' || p[3] || p[5])::timestamptz
        + interval_us(fraction_us(p[4], rounds))
    from (select iso_parts(s) as p) x
$$;

-- The first instant at which a zone's clock shows this; PostgreSQL alone would take the last. What
-- is skipped moves on.
create function in_zone(t timestamp, zone text) returns timestamptz language sql stable as $$
    select coalesce(min(u) filter (where u at time zone zone = t), t at time zone zone)
    from (select (t at time zone zone) - step as u
        from unnest('{0 s,9 min 21 s,20 min,30 min,1 h,2 h}'::interval[]) step) x
$$;

create function in_zone(t timestamp, zone interval) returns timestamptz language sql stable as
    $$ select t at time zone zone $$;

-- A time of day, of hours and minutes, seconds, fraction.
create function clock_time(s text, rounds boolean) returns time language plpgsql immutable as $$
declare
    p text[] := regexp_match(s,
        '^((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?$');
    us bigint := fraction_us(p[3], rounds);
begin
    if p[1] || p[2] = '23:5959' and us = 1000000 then return null; end if;
    return (p[1] || ':' || coalesce(p[2], '00'))::time + interval_us(us);
end $$;

create function clock_time_zone(s text) returns timetz language sql stable as $$
    select (p[2] || ':' || p[3] || '.' || lpad(fraction_us(p[4], false)::text, 6, '0') || p[5])::timetz
    from (select iso_parts('2000-01-01 ' || s) as p) x
$$;

-- Text that is a number.
create function is_number(s text) returns boolean language sql immutable as
    $$ select s ~ '^[ \t\n\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\f\r]*$' $$;

create function number(s text) returns numeric language sql immutable as
    $$ select btrim(s, E' \t\n\f\r')::numeric where is_number(s) $$;

create function canonical_number(s text) returns numeric language sql immutable as $$
    select s::numeric where s ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?$' and s !~ '^-[0.]*$'
$$;

create function canonical_integer(s text) returns bigint language sql immutable as
    $$ select s::bigint where s ~ '^(0|-?[1-9][0-9]*)$' $$;

-- Four numbers of an IPv4 address, without leading zeros; PostgreSQL says whether they are too large.
create function dotted() returns text language sql immutable as
    $$ select '(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}' $$;

create function boolean_word(s text) returns boolean language sql immutable as
    $$ select s::boolean where s ~* '^(0|1|t|f|y|n|true|false|yes|no|on|off)$' $$;

-- A number in so many digits, or NULL where that would round it.
create function sized(n numeric, digits int, decimals int) returns numeric language plpgsql immutable as $$
begin
    if n <> round(n, decimals) or abs(n) >= ('1e' || digits - decimals)::numeric then return null; end if;
    return n;
end $$;

create function months(n text) returns int language sql immutable as
    $$ select n::numeric::int where n ~ '^[+-]?[0-9]+$' $$;

-- ISO 8601's duration, part by part.
create function iso_interval(s text) returns interval language plpgsql immutable as $$
declare
    sign int := case when s like '-%' then -1 else 1 end;
    p text[] := regexp_match(s, '^-?P((?:[+-]?[0-9]+[YMWD])*)(?:T((?:[+-]?(?:[0-9]+\.?[0-9]{0,9}|\.[0-9]{1,9})[HMS])+))?$');
    part text[];
    of_month int := 0;
    of_day int := 0;
    us bigint := 0;
begin
    if p is null or (p[1] = '' and p[2] is null) then return null; end if;
    for part in select regexp_matches(p[1], '([+-]?[0-9]+)([YMWD])', 'g') loop
        case part[2]
            when 'Y' then of_month := of_month + part[1]::int * 12;
            when 'M' then of_month := of_month + part[1]::int;
            when 'W' then of_day := of_day + part[1]::int * 7;
            else of_day := of_day + part[1]::int;
        end case;
    end loop;
    for part in select regexp_matches(p[2], '([+-]?[0-9.]+)([HMS])', 'g') loop
        us := us + round(part[1]::numeric
            * case part[2] when 'H' then 3600000000 when 'M' then 60000000 else 1000000 end)::bigint;
    end loop;
    return make_interval(months => of_month * sign, days => of_day * sign) + interval_us(us * sign);
end $$;

create function dotnet_interval(s text) returns interval language sql immutable as $$
    select interval_us(((p[2]::numeric * 86400000000 + extract(epoch from p[3]::time) * 1000000
        + fraction_us(p[4], true)) * case when p[1] = '-' then -1 else 1 end)::bigint)
    from (select array[q[1], coalesce(q[2], '0'), q[3] || ':' || coalesce(q[4], '00'), q[5]] as p
        from regexp_match(s, '^(-)?(?:([0-9]+)\.)?((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?$') q
        where q is not null) x
$$;

create function any_uuid(s text) returns uuid language sql immutable as $$
    select replace(s, 'urn:uuid:', '')::uuid
    where s ~* '^[0-9a-f]{32}$' or s ~* '^\{[0-9a-f]{32}\}$'
        or s ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        or s ~* '^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$'
        or s ~ '^urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
$$;

create function uuid_of_bytes(b bytea) returns uuid language sql immutable as
    $$ select encode(b, 'hex')::uuid where length(b) = 16 $$;

create function uuid_of_dotnet(b bytea) returns uuid language sql immutable as $$
    select (substr(h, 7, 2) || substr(h, 5, 2) || substr(h, 3, 2) || substr(h, 1, 2)
        || substr(h, 11, 2) || substr(h, 9, 2) || substr(h, 15, 2) || substr(h, 13, 2) || substr(h, 17))::uuid
    from (select encode(b, 'hex') as h where length(b) = 16) x
$$;

-- Levels of nesting of a JSON text.
create function depth(s text) returns bigint language sql immutable as $$
    select coalesce(max(level), 0) from (
        select sum(case when c in ('[', '{') then 1 when c in (']', '}') then -1 else 0 end)
            over (order by n rows unbounded preceding) as level
        from regexp_split_to_table(regexp_replace(s, '"([^"\\]|\\.)*"', '', 'g'), '')
            with ordinality t(c, n)) x
$$;

create function document(s text) returns json language plpgsql immutable as $$
begin
    if length(s) > 1000 then
        if depth(s) > 1000 then return null; end if;
    end if;
    return s::json;
end $$;

-- The members of a JSON array, each as its JSON text; NULL when one is of none of the kinds.
create function members(s text, kind text) returns text[] language sql immutable as $$
    select case when json_typeof(s::json) <> 'array' then null
        when exists (select from json_array_elements(s::json) e where json_typeof(e) not in (kind, 'null'))
        then null
        else array(select e #>> '{}' from json_array_elements(s::json) with ordinality t(e, n) order by n)
        end
$$;

create function all_match(members text[], shape text) returns text[] language sql immutable as $$
    select members where not exists (select from unnest(members) m where m !~ shape)
$$;

-- UTF-8 with each longest part that is none, and each NUL, replaced (Unicode 15, 3.9, as the WHATWG has
-- it). The longest of the alternatives wins, so a complete character goes before its beginnings.
create function mended(b bytea, instead text) returns text language sql immutable as $$
    select convert_from(decode(coalesce(string_agg(
        case when m[1] is null then instead else m[1] end, '' order by n), ''), 'hex'), 'UTF8')
    from regexp_matches(encode(b, 'hex'),
        '(0[1-9a-f]|[1-7].|(?:c[2-9a-f]|d.)[89ab].|e0[ab].[89ab].|(?:e[1-9a-cef]|ed(?=[89]))[89ab].[89ab].'
        || '|f0[9ab].(?:[89ab].){2}|f[1-3](?:[89ab].){3}|f48.(?:[89ab].){2})'
        || '|e0[ab].|(?:e[1-9a-cef]|ed(?=[89]))[89ab].|f0[9ab].(?:[89ab].)?|f[1-3][89ab].(?:[89ab].)?'
        || '|f48.(?:[89ab].)?|..', 'g') with ordinality t(m, n)
$$;
