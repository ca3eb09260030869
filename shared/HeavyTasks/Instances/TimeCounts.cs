using System.Globalization;
using System.Text;

namespace Platform.HeavyTasks;

/// <summary>
/// Counts lengths of time by size, so that percentiles of many processes can be put together. Each size is the one before times the square
/// root of two, from 1 ms on, so a percentile is right to a fifth.
/// </summary>
internal sealed class TimeCounts
{
    // The last size begins at about two and a half hours.
    private const int Sizes = 48;

    private readonly int[] counts = new int[Sizes];

    /// <summary>How many were counted.</summary>
    public long Total => counts.Sum(count => (long)count);

    /// <summary>Counts a length of time.</summary>
    public void Add(TimeSpan time) => counts[SizeOf(time)]++;

    /// <summary>Adds what another one counted, as <see cref="ToString"/> wrote it. Text that cannot be read, perhaps of another version, adds nothing.</summary>
    public void Add(string text)
    {
        foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (
                part.Split(':') is [{ } size, { } count]
                && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number < Sizes
                && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var added)
            )
            {
                counts[number] += added;
            }
        }
    }

    /// <summary>The time that this share of all did not exceed; null when nothing was counted.</summary>
    public TimeSpan? Percentile(double share)
    {
        var rank = (long)Math.Ceiling(share * Total);
        for (var (size, seen) = (0, 0L); size < Sizes; size++)
        {
            seen += counts[size];
            if (seen > 0 && seen >= rank)
            {
                // The middle of the size.
                return TimeSpan.FromMilliseconds(Math.Pow(2, (size + 0.5) / 2));
            }
        }

        return null;
    }

    /// <summary>The counts as text: <c>size:count</c> of each size that was seen, with spaces between them.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (var size = 0; size < Sizes; size++)
        {
            if (counts[size] > 0)
            {
                text.Append(text.Length > 0 ? " " : "").Append(CultureInfo.InvariantCulture, $"{size}:{counts[size]}");
            }
        }

        return text.ToString();
    }

    private static int SizeOf(TimeSpan time) =>
        time.TotalMilliseconds <= 1 ? 0 : Math.Min(Sizes - 1, (int)Math.Floor(2 * Math.Log2(time.TotalMilliseconds)));
}
