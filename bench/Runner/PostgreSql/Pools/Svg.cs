using System.Globalization;
using System.Net;
using System.Text;

namespace Platform.Runner.Pools;

/// <summary>Writes as much SVG as charts need: lines, areas, and text on a white ground, which can also be read on dark pages.</summary>
internal sealed class Svg(int width, int height)
{
    private readonly StringBuilder body = new();

    public void Rectangle(double x, double y, double w, double h, string fill) =>
        Append($"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{w:0.#}\" height=\"{h:0.#}\" fill=\"{fill}\"/>");

    public void Line(double x1, double y1, double x2, double y2, string stroke, string? dashes = null) =>
        Append($"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{stroke}\"{Dashes(dashes)}/>");

    public void Path(IEnumerable<(double X, double Y)> points, string stroke, double thickness = 2, string? dashes = null) =>
        Append(
            $"<polyline points=\"{Points(points)}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{thickness:0.#}\" stroke-linejoin=\"round\"{Dashes(dashes)}/>"
        );

    public void Area(IEnumerable<(double X, double Y)> points, string fill) =>
        Append($"<polygon points=\"{Points(points)}\" fill=\"{fill}\"/>");

    public void Text(double x, double y, string text, string anchor = "start", int size = 12, string fill = "#444", bool bold = false) =>
        Append(
            $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{fill}\"{(bold ? " font-weight=\"bold\"" : "")}>{WebUtility.HtmlEncode(text)}</text>"
        );

    public void Save(string path, string description) =>
        File.WriteAllText(
            path,
            FormattableString.Invariant(
                $"""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="system-ui, sans-serif" role="img">
                <title>{WebUtility.HtmlEncode(description)}</title>
                <rect width="{width}" height="{height}" fill="#fff"/>
                {body}</svg>

                """
            )
        );

    private static string Dashes(string? dashes) => dashes is null ? "" : $" stroke-dasharray=\"{dashes}\"";

    private static string Points(IEnumerable<(double X, double Y)> points) =>
        string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#},{p.Y:0.#}")));

    private void Append(FormattableString element) => body.AppendLine(element.ToString(CultureInfo.InvariantCulture));
}
