using System.Text.Json;
using Platform.Cli.Api;

namespace Platform.Cli.Commands;

/// <summary>Writes a list of several pages, each page as it arrives.</summary>
internal static class PagedOutput
{
    /// <param name="session">Where to write.</param>
    /// <param name="pages">The list.</param>
    /// <param name="print">Shows one page to people.</param>
    /// <param name="more">What to tell people when the list has more than was wanted.</param>
    /// <param name="cancellationToken">Ends the list.</param>
    public static async Task<int> WriteAsync<T>(
        CliSession session,
        Pages<T> pages,
        Action<IReadOnlyList<T>> print,
        string more,
        CancellationToken cancellationToken
    )
    {
        if (session.IsJson)
        {
            return await WriteJsonAsync(session, pages, cancellationToken);
        }

        await foreach (var page in pages.ReadAsync(cancellationToken))
        {
            print(page.Value.Items);
        }

        if (pages.Next is not null)
        {
            session.Terminal.WriteErrorLine(more);
        }

        return ExitCode.Ok;
    }

    /// <summary>Writes one document in the shape of one page, however many pages were read; items are written as they arrive.</summary>
    private static async Task<int> WriteJsonAsync<T>(CliSession session, Pages<T> pages, CancellationToken cancellationToken)
    {
        await using var stream = pages.ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        // Nothing is printed before the first answer, so that standard output stays empty if the API refuses.
        var hasPage = await stream.MoveNextAsync();
        await using (var writer = session.OpenJson())
        {
            writer.WriteStartObject();
            writer.WriteStartArray("items");
            for (; hasPage; hasPage = await stream.MoveNextAsync())
            {
                foreach (var item in Items(stream.Current.Json).EnumerateArray())
                {
                    item.WriteTo(writer);
                }

                await writer.FlushAsync(cancellationToken);
            }

            writer.WriteEndArray();
            writer.WriteString("next", pages.Next);
            writer.WriteEndObject();
        }

        await session.Host.StandardOutput.WriteAsync("\n"u8.ToArray(), cancellationToken);
        return ExitCode.Ok;
    }

    /// <summary>Finds the items as the client found them, which ignores case.</summary>
    private static JsonElement Items(JsonElement page) =>
        page.EnumerateObject().Last(member => member.Name.Equals("items", StringComparison.OrdinalIgnoreCase)).Value;
}
