using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary>Says what the slots of a kind mean.</summary>
internal static class SlotText
{
    public static string Limit(int slots) => $"each worker runs at most {Figures.Count(slots)} at once";
}
