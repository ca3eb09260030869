namespace Platform.HeavyTasks;

/// <summary>How many connections the server accepts, and how many of them it reserves for administrators.</summary>
internal sealed record ConnectionLimit(int Max, int Reserved);
