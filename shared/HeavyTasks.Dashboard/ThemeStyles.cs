using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MudBlazor;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>
/// The colours and sizes of both themes as a style sheet. The component library writes them into the page, which the content security policy
/// does not allow, and only for one theme at a time; so they are rendered here once and served as a file.
/// </summary>
internal sealed partial class ThemeStyles(IServiceScopeFactory scopes, ILoggerFactory loggers)
{
    private static readonly MudTheme Theme = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#1d4ed8",
            Background = "#f6f7f9",
            Surface = "#ffffff",
            TextPrimary = "#15181e",
            TextSecondary = "#4b5563",
            Success = "#166534",
            Error = "#b91c1c",
            Warning = "#8a4b08",
            Info = "#1d4ed8",
            LinesDefault = "#d9dde3",
            TableLines = "#e3e6eb",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8ab4ff",
            PrimaryContrastText = "#0b1220",
            Background = "#111418",
            Surface = "#1a1f26",
            TextPrimary = "#e8ebf0",
            TextSecondary = "#aab3c0",
            Success = "#6fdc8c",
            Error = "#ff8f8f",
            Warning = "#f5b94d",
            Info = "#8ab4ff",
            LinesDefault = "#333b46",
            TableLines = "#2a313b",
        },
        Typography = new Typography
        {
            Default = new DefaultTypography
            {
                FontFamily = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
                FontSize = "0.875rem",
            },
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "6px" },
    };

    private readonly Lock gate = new();
    private Task<string>? rendered;

    /// <summary>The style sheet.</summary>
    public Task<string> GetAsync()
    {
        lock (gate)
        {
            return rendered ??= RenderAsync();
        }
    }

    /// <summary>Answers a request for it.</summary>
    public async Task<IResult> AnswerAsync() => TypedResults.Text(await GetAsync(), "text/css", Encoding.UTF8);

    private async Task<string> RenderAsync()
    {
        var light = await RenderAsync(isDark: false);
        var dark = await RenderAsync(isDark: true);
        return $"""
            :root {light}
            @media (prefers-color-scheme: dark) {"{"}
            :root:not([data-theme=light]) {dark}
            {"}"}
            :root[data-theme=dark] {dark}
            """;
    }

    private async Task<string> RenderAsync(bool isDark)
    {
        await using var scope = scopes.CreateAsyncScope();
        await using var renderer = new HtmlRenderer(scope.ServiceProvider, loggers);
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = new Dictionary<string, object?>
            {
                [nameof(MudThemeProvider.Theme)] = Theme,
                [nameof(MudThemeProvider.IsDarkMode)] = isDark,
            };
            var root = await renderer.RenderComponentAsync<MudThemeProvider>(ParameterView.FromDictionary(parameters));
            return root.ToHtmlString();
        });
        var match = Variables().Match(html);
        return match.Success
            ? $"{{{match.Groups["variables"].Value}color-scheme: {(isDark ? "dark" : "light")};\n}}"
            : throw new InvalidOperationException("The component library renders its theme in another form.");
    }

    // The block of variables. It has no inner braces.
    [GeneratedRegex(
        @":root\s*\{(?<variables>[^{}]*)\}",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000
    )]
    private static partial Regex Variables();
}
