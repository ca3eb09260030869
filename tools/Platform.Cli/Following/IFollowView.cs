using Platform.Cli.Api;

namespace Platform.Cli.Following;

/// <summary>Shows a followed task to whoever watches.</summary>
internal interface IFollowView
{
    /// <summary>Shows the task as it is now. Called after every answer, whether or not it changed.</summary>
    void Show(HeavyTask task);

    /// <summary>Shows that the API does not answer and is asked again. Called after every failed try.</summary>
    void ShowOutage(string reason);
}
