/// The style sheet of plots: pages include it in theirs, reports bring it along.
package enum PlotStyle {
    package static let css = """
        .chart { margin: 0; }
        .plot { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
        @media (max-width: 600px) { .plot { font-size: 15px; } }
        .plot text { fill: var(--quiet, #555); }
        .plot .plot-label { fill: var(--ink, #222); }
        .plot-grid { stroke: var(--line, #ddd); stroke-width: 1; }
        .plot-axis { stroke: var(--quiet, #555); stroke-width: 1; }
        .plot-line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke: var(--plot-first, #1f6f8b); }
        .plot-first { stroke: var(--plot-first, #1f6f8b); }
        .plot-second { stroke: var(--plot-second, #c2410c); stroke-width: 2.4; }
        .plot-third { stroke: var(--plot-third, #6d28d9); stroke-dasharray: 6 4; }
        .plot-faint { stroke: var(--plot-faint, #a8b0ba); stroke-width: 1; }
        .plot-dot { fill: var(--plot-first, #1f6f8b); stroke: none; }
        .plot-bar { fill: var(--plot-first, #1f6f8b); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 4px 0 0; padding: 0; font-size: 0.85rem; }
        .legend .key { margin-right: 6px; vertical-align: middle; }
        """
}
