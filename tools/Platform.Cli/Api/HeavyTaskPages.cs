using System.Runtime.CompilerServices;

namespace Platform.Cli.Api;

/// <summary>A list of tasks, page after page.</summary>
/// <param name="client">The API.</param>
/// <param name="status">Only this status; null for all.</param>
/// <param name="kind">Only this kind; null for all.</param>
/// <param name="wanted">At most so many tasks.</param>
/// <param name="maxPage">Largest page to ask for.</param>
internal sealed class HeavyTaskPages(PlatformClient client, string? status, string? kind, int wanted, int maxPage)
{
    /// <summary>The cursor behind what was read; null when the list is at its end.</summary>
    public string? Next { get; private set; }

    /// <summary>Reads until enough tasks were read or there are no more.</summary>
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
