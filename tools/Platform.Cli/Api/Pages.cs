using System.Runtime.CompilerServices;

namespace Platform.Cli.Api;

/// <summary>One page of a list, newest first.</summary>
internal sealed record Page<T>
{
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>The cursor of the next page; null on the last page.</summary>
    public string? Next { get; init; }
}

/// <summary>Reads a list, page after page.</summary>
/// <param name="read">Asks the API for the page at a cursor (null for the first page), with at most so many items.</param>
/// <param name="wanted">The most items to read.</param>
internal sealed class Pages<T>(Func<string?, int, CancellationToken, Task<Answer<Page<T>>>> read, int wanted)
{
    /// <summary>The largest page that the API returns.</summary>
    private const int MaxPage = 200;

    /// <summary>The cursor after the items read so far; null at the end of the list.</summary>
    public string? Next { get; private set; }

    /// <summary>Reads until there are enough items or no more.</summary>
    public async IAsyncEnumerable<Answer<Page<T>>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var left = wanted; left > 0; )
        {
            var page = await read(Next, Math.Min(left, MaxPage), cancellationToken);
            Next = page.Value.Next;
            left -= page.Value.Items.Count;
            yield return page;
            if (Next is null || page.Value.Items.Count is 0)
            {
                yield break;
            }
        }
    }
}
