"""Bars, drawn by gnuplot: an SVG and a PNG of each plot."""
import os
import shutil
import subprocess


def draw(plots, folder):
    written = []
    if not shutil.which("gnuplot"):
        return written
    for name, title, bars in plots:
        data = os.path.join(folder, f"{name}.dat")
        with open(data, "w", encoding="utf-8") as out:
            for label, value in reversed(bars):
                out.write(f'"{label}"\t{value}\n')
        for terminal, ending in (("svg noenhanced size 900,420 dynamic font 'sans,13'", "svg"), ("png noenhanced size 900,420", "png")):
            path = os.path.join(folder, f"{name}.{ending}")
            script = f"""set terminal {terminal}
set output '{path}'
set title '{title}'
set yrange [-0.6:{len(bars)}-0.4]
set xrange [0:*]
set style fill solid 0.8
set grid x
unset key
set lmargin 34
set datafile separator '\\t'
plot '{data}' using (0):0:(0):2:($0-0.35):($0+0.35):ytic(1) with boxxyerror linecolor rgb '#336699', \\
     '{data}' using 2:0:(sprintf(' %.3g', $2)) with labels left
"""
            if subprocess.run(["gnuplot"], input=script, text=True, check=False, capture_output=True).returncode == 0:
                written.append(path)
        os.unlink(data)
    return written
