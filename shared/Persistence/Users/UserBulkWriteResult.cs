using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>What a bulk write did. Inserted and existing add up to the rows that were given.</summary>
/// <param name="Inserted">Users that are new.</param>
/// <param name="Existing">Users that were there before: left alone, or now as in their row, according to the mode.</param>
/// <param name="FirstExisting">With <c>ExistingUser.Fail</c>: index of the first row whose user was there before. Otherwise null.</param>
public readonly record struct UserBulkWriteResult(int Inserted, int Existing, int? FirstExisting);
