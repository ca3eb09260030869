using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>Counts users per country and per month of sign-up. Takes no parameters.</summary>
[HeavyTaskKind("users.statistics", Description = "Counts users per country and per month of sign-up, as JSON.")]
public sealed record UserStatisticsParameters;
