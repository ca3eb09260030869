using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>What a bulk write did. Inserted and existing users add up to the given rows.</summary>
/// <param name="Inserted">How many users are new.</param>
/// <param name="Existing">How many users existed before. The mode decides whether they were left alone or updated from their row.</param>
/// <param name="FirstExisting">With <c>ExistingUser.Fail</c>: the index of the first row whose user existed before. Otherwise null.</param>
public readonly record struct UserBulkWriteResult(int Inserted, int Existing, int? FirstExisting);
