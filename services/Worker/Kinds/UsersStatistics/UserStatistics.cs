using System.Text.Json.Serialization;

namespace Platform.Worker.Kinds.UsersStatistics;

/// <summary>The content of statistics.json. The users of all countries, and those of all months, add up to <paramref name="Users"/>.</summary>
/// <param name="Users">All users.</param>
/// <param name="Countries">Per country, in alphabetical order; last, if there are any, those without one.</param>
/// <param name="Months">Per month of sign-up (UTC), in order; last, if there are any, those without a sign-up time.</param>
internal sealed record UserStatistics(long Users, IReadOnlyList<CountryStatistics> Countries, IReadOnlyList<MonthStatistics> Months);

/// <summary>Users of a country.</summary>
/// <param name="Country">The country; null for users without one.</param>
/// <param name="Users">How many.</param>
internal sealed record CountryStatistics([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Country, long Users);

/// <summary>Users who signed up in a month.</summary>
/// <param name="Month">Such as 2024-01; null for users without a sign-up time.</param>
/// <param name="Users">How many.</param>
internal sealed record MonthStatistics([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Month, long Users);

/// <summary>The result of the task.</summary>
/// <param name="Users">All users.</param>
/// <param name="Countries">Countries that users have.</param>
/// <param name="Months">Months in which users signed up.</param>
internal sealed record UserStatisticsResult(long Users, int Countries, int Months);
