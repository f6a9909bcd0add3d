# SPDX-License-Identifier: GPL-2.0-or-later
# gnuplot -e 'data="PREFIX"' lines.gp > OUT.svg: how wall, CPU and memory grow, from
# the four files that grow.py --data PREFIX leaves
set terminal svg size 900,700 dynamic background 'white'
set multiplot layout 2,2
set style data linespoints
set yrange [0:*]
set grid ytics
set key left top
what = "disk files hive images"
titles = "'virtual size' 'files' 'SOFTWARE hive' 'images at once'"
do for [i=1:4] {
    set title word(titles, i)
    file = data . "-" . word(what, i)
    plot file using 0:2:xtic(1) title "wall, s", file using 0:5 title "CPU, s", \
         file using 0:($8/100) title "memory, 100 MB"
}
unset multiplot
