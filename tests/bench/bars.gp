# SPDX-License-Identifier: GPL-2.0-or-later
# gnuplot -e 'data="FILE"' bars.gp > OUT.svg: wall, CPU and memory of each way, as
# measure.py's write_data() leaves them; logarithmic, with least and most
set terminal svg size 900,400 dynamic background 'white'
set style data histogram
set style histogram errorbars gap 2 linewidth 1
set style fill solid 0.6 border -1
set logscale y
set yrange [0.01:*]
set grid ytics
set key outside
set ylabel "s, and hundreds of MB"
plot data using 2:3:4:xtic(1) title "wall, s", \
     data using 5:6:7 title "CPU, s", \
     data using ($8/100):($9/100):($10/100) title "memory, 100 MB"
