# part: a
