-- Filters: the conditions of options/filter.rs, which has checked their form. Conformance proves that both
-- mean the same.

CREATE OR REPLACE FUNCTION bq_matches(p_filter jsonb, p_headers jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_value text;
  v_condition jsonb;
BEGIN
  IF p_filter IS NULL THEN
    RETURN true;
  ELSIF p_filter ? 'header' THEN
    v_value := p_headers ->> (p_filter ->> 'header');
    RETURN CASE
      WHEN p_filter ? 'exists' THEN (v_value IS NOT NULL) = (p_filter -> 'exists')::boolean
      WHEN v_value IS NULL THEN false
      WHEN p_filter ? 'equals' THEN v_value = p_filter ->> 'equals'
      WHEN p_filter ? 'prefix' THEN starts_with(v_value, p_filter ->> 'prefix')
      ELSE p_filter -> 'any_of' ? v_value
    END;
  ELSIF p_filter ? 'not' THEN
    RETURN NOT bq_matches(p_filter -> 'not', p_headers);
  ELSIF p_filter ? 'all' THEN
    FOR v_condition IN SELECT * FROM jsonb_array_elements(p_filter -> 'all') LOOP
      IF NOT bq_matches(v_condition, p_headers) THEN
        RETURN false;
      END IF;
    END LOOP;
    RETURN true;
  END IF;
  FOR v_condition IN SELECT * FROM jsonb_array_elements(p_filter -> 'any') LOOP
    IF bq_matches(v_condition, p_headers) THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;
