"""The page of an evaluation's report, without what is in it."""

from string import Template

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
 body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #24292f;
        background: #fbfaf7 }
 h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem } p, ul { max-width: 52rem }
 h3 { font-size: 1rem; margin: 1.2rem 0 .3rem } .wide { overflow-x: auto }
 table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums }
 th, td { border: 1px solid #e3e0d8; padding: .3rem .7rem; text-align: right; vertical-align: top }
 th { font-weight: 600 } th:first-child { text-align: left } small { display: block; color: #6b6f76; line-height: 1.3 }
 .photos img { border-radius: 6px; margin: 0 4px 4px 0 }
 .clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .8rem }
 figure { margin: 0; background: #fff; border: 1px solid #e3e0d8; border-radius: 8px; overflow: hidden }
 .clips video, .clips img { width: 100%; display: block } figcaption { padding: .4rem .7rem }
 .plot { display: inline-block; margin: 0 .8rem .8rem 0 } svg { font: 11px system-ui, sans-serif; max-width: 100% }
 svg line { stroke: #2a6f97; stroke-width: 2 } svg circle { fill: #2a6f97 }
</style></head><body>
<h1>$title</h1>
<p>$counts Made by VCD for WebUI $version; all figures are in <a href="rows.csv">rows.csv</a> and
<a href="rows.jsonl">rows.jsonl</a>.</p>
<h2>Means</h2>
<p>With 95% intervals: bootstrap over subjects first, then the prompts of each, then seeds. ↑ higher is better, ↓ lower
is better; the best is bold. NaN are videos that could not be made, or show nothing to measure.</p>
$missing
<div class=wide>$means</div>
$notes
<h2>Differences from $reference</h2>
<p>On the same subjects, prompts and seeds, video by video. Where an interval holds 0, the difference may be chance.</p>
<div class=wide>$differences</div>
<h2>Plots</h2>
$plots
<h2>Subjects</h2>
$subjects
<h2>Best and worst of $reference</h2>
$extremes
</body></html>
""")
