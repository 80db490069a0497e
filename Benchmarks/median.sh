# Sourced by the scripts beside it: the median of the numbers in a file or, without one, of the standard input.
median() { sort -n "${1:--}" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
