# The list of tests, one line each.
v2v_unit_test(base v2v::base)
