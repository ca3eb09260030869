using System.Runtime.CompilerServices;

namespace Platform.Cli.Api;

/// <summary>Reads a list of tasks, page after page.</summary>
/// <param name="client">The API.</param>
/// <param name="status">Reads only tasks with this status; null for all.</param>
/// <param name="kind">Reads only tasks of this kind; null for all.</param>
/// <param name="wanted">The most tasks to read.</param>
/// <param name="maxPage">The largest page to ask for.</param>
internal sealed class HeavyTaskPages(PlatformClient client, string? status, string? kind, int wanted, int maxPage)
{
    /// <summary>The cursor after the tasks read so far; null at the end of the list.</summary>
    public string? Next { get; private set; }

    /// <summary>Reads until there are enough tasks or no more.</summary>
    public async IAsyncEnumerable<Answer<HeavyTaskPage>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var left = wanted; left > 0; )
        {
            var page = await client.ListAsync(status, kind, Next, Math.Min(left, maxPage), cancellationToken);
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
