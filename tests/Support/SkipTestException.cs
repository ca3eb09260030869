namespace Platform.Support;

/// <summary>
/// Skips the running test. xunit.v3 recognizes it by the beginning of its message, so this project needs no reference to a test framework.
/// </summary>
internal sealed class SkipTestException(string reason) : Exception("$XunitDynamicSkip$" + reason);
